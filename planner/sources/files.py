"""Any tabular file to a table of text, and every broken file to one sentence that says what to do."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from python_calamine import CalamineError

from planner.errors import DataError, reason

MAX_BYTES = 2 * 1024**3  # a national ITER unpacks to about 0.2 GB; more than this is no official table
SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
VECTORS = (".gpkg", ".geojson", ".json", ".shp")
FORMATS = (".csv", ".txt", ".zip", ".parquet", *SHEETS, *VECTORS)
# dictionaries and catalogues that INEGI packs beside the data
_SUPPORT = re.compile(r"(^|/)(__macosx|\.|diccionario|catalogo|metadato|modelo|leeme|readme|indice)", re.IGNORECASE)


def read_text_table(path: Path, *, sheet: str | None = None, header_row: int = 0,
                    required: Sequence[str] = (), optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table as trimmed text, blanks missing; codes keep their leading zeros where the file has them.

    Reads csv, zip with one useful csv, xlsx/xls/ods (`sheet`, by default the first), parquet, and gpkg, geojson or shp
    (`sheet` is the layer; `lon` and `lat` in degrees are added). `required` and `optional` headers are found whatever
    their case, accents or line breaks and come back as spelled here. DataError if the file is not such a table.
    """
    rows = read_rows(path, sheet=sheet, skip=header_row)
    table = rows.iloc[1:].set_axis(_headers(rows.iloc[0].tolist(), (*required, *optional)), axis=1)
    table = table.drop(columns=[c for c in table if str(c).startswith("columna ") and table[c].isna().all()])
    missing = [name for name in required if name not in table.columns]
    if missing:
        seen = ", ".join(list(table.columns)[:12]) + (", …" if table.shape[1] > 12 else "")
        lacks = "falta la columna" if len(missing) == 1 else "faltan las columnas"
        raise DataError(f"{path.name}: {lacks} {', '.join(missing)}; trae {seen}; revise que sea el archivo correcto.")
    if table.empty:
        raise DataError(f"{path.name}: tiene encabezado pero ninguna fila; descárguelo otra vez.")
    return table.reset_index(drop=True)


def read_rows(path: Path, *, sheet: str | None = None, skip: int = 0) -> pd.DataFrame:
    """Rows of text from row `skip` on, headers included as rows, blank rows dropped; DataError if there are none."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise DataError(f"{path.name}: el formato «{suffix}» no se lee; use uno de {', '.join(FORMATS)}.")
    content = _content(path)
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise DataError(f"{path.name}: es una página HTML o XML con otro nombre, no una tabla; ábralo y guárdelo como xlsx o csv.")
    if suffix in SHEETS:
        raw = _sheet(path, content, sheet).iloc[skip:]
    elif suffix == ".parquet":
        raw = _below_header(_parquet(path, content)).iloc[skip:]
    elif suffix in VECTORS:
        raw = _below_header(_vector(path, sheet)).iloc[skip:]
    else:
        raw = _csv(*(_unzipped(path, content) if suffix == ".zip" else (path.name, content)), skip)
    trimmed = pd.DataFrame({c: raw[c].str.strip() for c in raw})
    rows = trimmed.mask(trimmed == "").dropna(how="all")
    if rows.empty:
        raise DataError(f"{path.name}: no tiene ninguna fila; descárguelo otra vez.")
    return rows.reset_index(drop=True)


def fold(text: str) -> str:
    """Lower case, without accents, one space between words: how headers and names are compared.

    >>> fold(" Entidad\\nFederativa ÚNICA")
    'entidad federativa unica'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def some(ids: Sequence[object] | pd.Index) -> str:
    """How many and the first three, for error sentences.

    >>> some(["a", "b", "c", "d"])
    '4 (a, b, c, …)'
    """
    listed = list(map(str, ids))
    return f"{len(listed)} ({', '.join(listed[:3])}{', …' if len(listed) > 3 else ''})"


def codes(text: pd.Series, width: int, where: str) -> pd.Series:
    """Keys of digits padded with zeros to their width; DataError for blanks and anything else."""
    padded = text.str.zfill(width)
    bad = ~padded.fillna("").str.fullmatch(rf"\d{{{width}}}")
    if bad.any():
        raise DataError(f"{where}: «{text.name}» no es una clave de {width} dígitos en {int(bad.sum())} filas, "
                        f"por ejemplo {text[bad].iloc[0]!r}; corríjalas.")
    return padded


def municipality_code(codes: pd.Series, entity: str) -> pd.Series:
    """Five digits (EEMMM) from text or numbers such as `13035`, `35`, `035` or `35.0`; null where it is none of these.

    >>> municipality_code(pd.Series(["35.0", "13035", "x", 7]), "13").tolist()
    ['13035', '13035', nan, '13007']
    """
    text = digits(codes)
    short = text.str.len() <= 3
    full = text.where(~short, entity + text.str.zfill(3))
    return full.str.zfill(5).where(full.str.len().between(4, 5))


def digits(codes: pd.Series) -> pd.Series:
    """The digits of codes written as text or numbers, without a decimal part; null where there are others.

    >>> digits(pd.Series(["01", "1.0", "A", None])).tolist()
    ['01', '1', nan, nan]
    """
    text = codes.astype("str").str.strip().str.replace(r"\.0+$", "", regex=True)
    return text.where(text.str.fullmatch(r"\d+").fillna(False).astype(bool))


def numbers(text: pd.Series, where: str, *, hidden: Sequence[str] = (), low: float | None = None) -> pd.Series:
    """Text to floats, blanks and `hidden` marks as NaN; DataError for anything else or less than `low`."""
    shown = text.mask(text.str.casefold().isin([h.casefold() for h in hidden]))
    value = pd.to_numeric(shown, errors="coerce").astype("float64")
    bad = (shown.notna() & ~np.isfinite(value)) | (value < (-np.inf if low is None else low))
    if bad.any():
        kind = "un número" if low is None else f"un número de {low:g} o más"
        raise DataError(f"{where}: «{text.name}» no es {kind} en {some(text.index[bad])}, por ejemplo {text[bad].iloc[0]!r}; "
                        "corrija esas filas.")
    return value


def whole_numbers(text: pd.Series, where: str, *, low: float | None = None) -> pd.Series:
    """As `numbers`, in `Int64`: blanks are missing, fractions refused."""
    value = numbers(text, where, low=low)
    broken = (value % 1 != 0) & value.notna()
    if broken.any():
        raise DataError(f"{where}: «{text.name}» no es un número entero en {some(text.index[broken])}; corrija esas filas.")
    return value.astype("Int64")


def headers_by_word(table: pd.DataFrame) -> dict[str, str]:
    """The headers by how they are compared (`fold`, `_` as a space); of two alike the first.

    >>> headers_by_word(pd.DataFrame(columns=["AÑO", "Casa_de_salud", "año"]))
    {'ano': 'AÑO', 'casa de salud': 'Casa_de_salud'}
    """
    return {fold(str(h).replace("_", " ")): str(h) for h in reversed(list(table.columns))}


def refuse_repeated(keys: pd.Index, where: str) -> None:
    """DataError if a key stands more than once."""
    if keys.has_duplicates:
        raise DataError(f"{where}: «{keys.name}» repetida: {some(keys[keys.duplicated()].unique())}; deje una fila por clave.")


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets of a workbook, in order; DataError if it is none."""
    return [str(name) for name in _book(path, _content(path)).sheet_names]


def _headers(row: Sequence[object], names: Sequence[str]) -> list[str]:
    """Unique headers, those that match one of `names` spelled like it; an exact spelling wins over a folded one."""
    written = [str(v) if isinstance(v, str) else f"columna {i}" for i, v in enumerate(row, 1)]
    wanted = {fold(n): n for n in names if n not in written}
    headers: list[str] = []
    for i, name in enumerate(written, 1):
        name = wanted.pop(fold(name), name)
        headers.append(name if name not in headers else f"{name} (columna {i})")
    return headers


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"No existe el archivo {path}; revise la ruta o descárguelo.") from None
    except IsADirectoryError:
        raise DataError(f"{path} es una carpeta y se esperaba un archivo; escriba la ruta completa.") from None
    except OSError as fault:
        raise DataError(f"No se puede leer {path} ({reason(fault)}); revise los permisos.") from None
    if not content.removeprefix(b"\xef\xbb\xbf").strip():
        raise DataError(f"{path.name}: el archivo está vacío; descárguelo otra vez.")
    return content


def _csv(name: str, content: bytes, skip: int) -> pd.DataFrame:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise DataError(f"{name}: no está en UTF-8 (byte {fault.start}, línea {line}); guárdelo como «CSV UTF-8».") from None
    if "\0" in text:
        raise DataError(f"{name}: no es un csv sino un archivo binario; descárguelo otra vez.")
    head = text.split("\n", skip + 1)[:skip + 1][-1]
    separator = max(",;\t|", key=head.count)
    try:
        return pd.read_csv(io.StringIO(text), sep=separator, header=None, skiprows=skip, dtype=str, na_filter=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except pd.errors.ParserError as fault:
        wide = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(fault))
        why = f"la línea {wide[2]} tiene {wide[3]} columnas y se esperaban {wide[1]}" if wide else "hay comillas sin cerrar"
        raise DataError(f"{name}: no se entiende como csv, {why}; corríjalo o descárguelo otra vez.") from None


def _unzipped(path: Path, content: bytes) -> tuple[str, bytes]:
    """Name and bytes of the one csv of a zip that is not a dictionary, catalogue or other support."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            tables = [n for n in archive.namelist() if n.lower().endswith(".csv")]
            names = [n for n in tables if not _SUPPORT.search(n)] or tables
            if len(names) != 1:
                found = f"trae {len(names)} csv de datos ({', '.join(names[:3])})" if names else "no trae ningún csv"
                raise DataError(f"{path.name}: {found} y se esperaba uno; descárguelo otra vez o indique el csv directamente.")
            _guard_size(path, archive, names)
            return f"{path.name}/{names[0]}", archive.read(names[0])
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DataError(f"{path.name}: el zip está dañado o incompleto; descárguelo otra vez.") from None
    except (RuntimeError, NotImplementedError):
        raise DataError(f"{path.name}: el zip tiene contraseña o una compresión desconocida; extraiga el csv e indíquelo.") from None


def _guard_size(path: Path, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
    size = sum(archive.getinfo(n).file_size for n in names)
    if size > MAX_BYTES:
        raise DataError(f"{path.name}: descomprimido ocupa {size / 1024**3:.1f} GB (máximo {MAX_BYTES / 1024**3:.0f}); "
                        "revise que sea el archivo oficial.")


def _sheet(path: Path, content: bytes, sheet: str | None) -> pd.DataFrame:
    with _book(path, content) as book:
        names = {fold(str(n)): str(n) for n in reversed(book.sheet_names)}
        name = str(book.sheet_names[0]) if sheet is None else names.get(fold(sheet))
        if name is None:
            raise DataError(f"{path.name}: no tiene la hoja «{sheet}»; tiene {', '.join(map(str, book.sheet_names))}.")
        try:
            return pd.read_excel(book, sheet_name=name, header=None, dtype=str, na_filter=False)
        except (CalamineError, ValueError):
            raise _broken_book(path) from None


def _book(path: Path, content: bytes) -> pd.ExcelFile:
    try:
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                _guard_size(path, archive, archive.namelist())
        return pd.ExcelFile(io.BytesIO(content), engine="calamine")
    except (CalamineError, zipfile.BadZipFile):
        raise _broken_book(path) from None


def _broken_book(path: Path) -> DataError:
    return DataError(f"{path.name}: no es un libro de Excel legible o está incompleto; descárguelo otra vez.")


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    try:
        source = pa.BufferReader(content)
        if b"geo" in (pq.read_schema(source).metadata or {}):
            return _with_degrees(path, gpd.read_parquet(io.BytesIO(content)))
        return pd.read_parquet(io.BytesIO(content))
    except (pa.ArrowInvalid, OSError, EOFError):
        raise DataError(f"{path.name}: el parquet está dañado o incompleto; descárguelo otra vez.") from None


def _vector(path: Path, layer: str | None) -> pd.DataFrame:
    try:
        layers = [str(n) for n, kind in pyogrio.list_layers(path) if kind is not None]
        if layer is None and len(layers) != 1:
            raise DataError(f"{path.name}: tiene {len(layers)} capas con geometría ({', '.join(layers[:3])}) y se esperaba una.")
        return _with_degrees(path, gpd.read_file(path, layer=layer or layers[0], use_arrow=False))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError):
        raise DataError(f"{path.name}: la capa está dañada o no es de su formato; expórtela otra vez.") from None


def _with_degrees(path: Path, layer: gpd.GeoDataFrame) -> pd.DataFrame:
    """Attributes with `lon` and `lat` of each feature (an inner point where it is not a point)."""
    if layer.crs is None:
        raise DataError(f"{path.name}: no dice su sistema de coordenadas; expórtelo otra vez con él.")
    points = layer.geometry.representative_point().to_crs(4326)
    named = {fold(str(c)) for c in layer.columns}
    added = {k: v for k, v in {"lon": points.x, "lat": points.y}.items() if k not in named}
    return pd.DataFrame(layer.drop(columns=layer.geometry.name)).assign(**added)


def _below_header(table: pd.DataFrame) -> pd.DataFrame:
    """Text rows with the column names as the first one, like a csv."""
    body = pd.DataFrame({i: _text(table.iloc[:, i]) for i in range(table.shape[1])})
    return pd.concat([pd.DataFrame([list(map(str, table.columns))], dtype="str"), body], ignore_index=True)


def _text(column: pd.Series) -> pd.Series:
    """Values as text; whole floats without `.0`, because codes with gaps come as floats."""
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy("float64", na_value=np.nan)
        text = [f"{v:.0f}" if v.is_integer() else repr(v) for v in values.tolist()]
    else:
        text = [str(v) for v in column.tolist()]
    return pd.Series(text, index=column.index, dtype="str").where(column.notna().to_numpy()).reset_index(drop=True)


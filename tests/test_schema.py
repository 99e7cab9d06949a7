import pandas as pd
import pytest
import valley

from planner import columns, schema
from planner.errors import DataError


def test_the_valley_is_a_region_by_the_schema() -> None:
    region = valley.region()
    columns.check(schema.LOCALITIES, region.localities, "localidades")
    columns.check(schema.UNITS, region.units, "unidades")
    columns.check(schema.MUNICIPALITIES, region.municipalities, "municipios")


def test_all_faults_are_told_at_once_with_ids() -> None:
    table = valley.region().localities.drop(columns=["lat"])
    table["population"] = table["population"].where(table["name"] != "A", -5)
    table["irs_grade"] = table["irs_grade"].where(table["name"] != "B", "Altísimo")
    table["name"] = table["name"].where(table["name"] != "C", None)
    with pytest.raises(DataError) as told:
        columns.check(schema.LOCALITIES, table, "localidades de prueba")
    for words in ("localidades de prueba", "falta la columna «lat»", "«population» es menor que lo admitido: 1 casos (990010001)",
                  "«irs_grade» tiene valores desconocidos: 1 casos (990010002)", "«name» está vacía: 1 casos (990010003)"):
        assert words in str(told.value)


def test_repeated_keys_and_wrong_types_are_told() -> None:
    table = valley.region().municipalities
    twice = pd.concat([table, table.iloc[:1]])
    with pytest.raises(DataError, match="«cve_mun» repetida: 1 casos"):
        columns.check(schema.MUNICIPALITIES, twice, "municipios")
    with pytest.raises(DataError, match="«irs» no es del tipo esperado"):
        columns.check(schema.MUNICIPALITIES, table.assign(irs=table["irs"].astype(str)), "municipios")


def test_check_changes_nothing() -> None:
    table = valley.region().units
    before = table.copy()
    columns.check(schema.UNITS, table, "unidades")
    pd.testing.assert_frame_equal(table, before)


def test_export_names_are_the_contract() -> None:
    names = columns.export_names(schema.LOCALITIES, schema.ACCESS)
    contract = ("cvegeo nom_ent nom_mun nom_loc pobtot poblacion pob_indigena irs grado_rezago irs_imputado clues_asignada "
                "min_primer_nivel min_hospital clues_hospital suficiencia visitas_mes puntaje_brecha personas_equiv "
                "brecha_ponderada cobertura")
    assert set(contract.split()) <= set(names.values())
    units = columns.export_names(schema.UNITS, schema.UNIT_RESULTS).values()
    assert set("clues nombre institucion tipologia clase nivel nucleos carga capacidad localidades poblacion".split()) <= set(units)
    proposals = columns.export_names(schema.PROPOSALS).values()
    wanted = "id tipo cvegeo clues costo_inversion costo_anual personas brecha_ponderada_cerrada robustez motivo"
    assert set(wanted.split()) <= set(proposals)
    assert all(v.isascii() and v == v.lower() for v in names.values())


def test_the_names_of_a_regionalization_are_the_contract() -> None:
    tables = {
        schema.DISTRICTS: "distrito_id nombre municipios claves_municipios pobtot poblacion desvio_poblacion hospitales min_hospital_medio "
                          "min_hospital_p90 personas_fuera proporcion_cruce compacidad contiguo",
        schema.DISTRICT_OF_MUNICIPALITY: "cve_mun nom_mun distrito_id distrito_hoy cambia poblacion",
        schema.UNIVERSE: "cvegeo lugar tipo_lugar minutos poblacion sin_lugar",
        schema.UNIVERSE_UNITS: "lugar nombre tipo localidades poblacion carga capacidad suficiencia min_medio min_p90 casas_de_salud "
                               "auxiliares parteras voluntarios comites sin_lugar",
        schema.REASSIGNMENTS: "cvegeo nom_loc de a poblacion min_hoy min_propuesta cambio_min motivo",
        schema.NETWORK: "clues nombre tipo clues_hospital nombre_hospital minutos clues_hospital_cercano min_hospital_cercano cabe "
                        "clues_hospital_lluvias min_lluvias zona poblacion",
        schema.ZONES: "zona unidades poblacion min_ronda clues_sede clues_hospital unidades_otra_red",
        schema.COMMUNITY: "cvegeo casa_de_salud auxiliares parteras voluntarios comite",
        schema.SERVED: "clues anio pa po",
    }
    for table, names in tables.items():
        assert [c.export for c in table.all()] == names.split(), table.name


def test_every_table_is_declared_once_and_under_one_name() -> None:
    declared = [t for t in vars(schema).values() if isinstance(t, columns.Table)]
    assert sorted(t.name for t in schema.TABLES) == sorted(t.name for t in declared)
    assert len({t.name for t in schema.TABLES}) == len(schema.TABLES)


def test_no_table_exports_two_columns_under_one_name() -> None:
    for table in schema.TABLES:
        exported = [c.export for c in table.all()]
        assert len(exported) == len(set(exported)), table.name

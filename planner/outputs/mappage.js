/* The page around the map of mapa.html: what is known of a place, the search, the table, the printed sheet. */
/* Names of a publisher arrive as data and are shown as text, never as HTML. `PAGE` is written by mappage.py. */
(() => {
  const {base, names, hidden, data, told, plan} = PAGE;
  const by = id => document.getElementById(id);
  const add = (parent, tag, text) => {
    const node = parent.appendChild(document.createElement(tag));
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const map = L.map("mapa", {preferCanvas: true, zoomControl: false, attributionControl: false, minZoom: 5, maxZoom: 15, zoomSnap: 0.25});
  const planner = new window.plannerMap(map, names, hidden);
  document.querySelector(".leaflet-control-layers-toggle").title = "Capas";

  /* Every place of the map: kind, id, name, where it stands and its row in what is told of its kind. */
  const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const places = [], found = {};
  Object.entries(told).forEach(([kind, one]) => {
    let row = 0;
    one.layers.forEach(layer => data[layer].id.forEach((id, i) => {
      const place = {kind: kind, id: id, name: data[layer].name[i], lat: data[layer].lat[i], lon: data[layer].lon[i], row: row++};
      place.label = place.name + " · " + id;
      place.plain = plain(place.label);
      places.push(place);
      found[kind + "/" + id] = place;
    }));
  });

  const digits = new Intl.NumberFormat("en-US", {maximumFractionDigits: 2});
  const value = (column, row, unit) => {
    const held = column.words ? column.words[column.at[row]] : column.numbers[row];
    if (held === null || held === undefined) return column.none;
    if (typeof held !== "number") return held;
    return digits.format(held) + (unit && column.unit ? " " + column.unit : "");
  };
  const layers = () => by("plan").checked ? {...data, localidades: {...data.localidades, ...plan}} : data;
  let chosen = null;
  const draw = () => {
    const ring = chosen && {key: chosen.kind + chosen.id, place: chosen.kind + "/" + chosen.id, lat: chosen.lat, lon: chosen.lon,
                            view: [[chosen.lat - 0.05, chosen.lon - 0.05], [chosen.lat + 0.05, chosen.lon + 0.05]]};
    planner.update({base: base, ...layers(), ...(ring ? {elegida: ring} : {})});
  };

  const tell = place => {
    chosen = place;
    const one = told[place.kind], card = by("ficha");
    card.replaceChildren();
    add(card, "h2", place.name);
    add(card, "p", one.title + " " + place.id);
    const table = add(card, "table");
    one.columns.forEach(column => {
      const line = table.insertRow(), head = add(line, "th", column.label);
      head.scope = "row";
      add(line, "td", value(column, place.row, true));
      add(line, "td", column.mark).className = "marca";
    });
    draw();
  };
  const tellLines = lines => {  // a district or a municipality: no place of its own
    chosen = null;
    by("ficha").replaceChildren();
    lines.filter(Boolean).forEach((line, i) => add(by("ficha"), i ? "p" : "h2", line));
    draw();
  };
  const area = {distrito: "distritos", municipio: "municipios"};
  window.plannerChosen = (kind, id, own) => {
    const layer = data[area[own ? "distrito" : kind]];
    if (layer) tellLines(layer.lines[layer.id.indexOf(own || id)]);
    else if (found[kind + "/" + id]) tell(found[kind + "/" + id]);
  };

  const search = by("buscar"), MOST = 12;
  const hits = () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    const all = words.length ? places.filter(place => words.every(word => place.plain.includes(word))) : [];
    return all.sort((a, b) => b.plain.startsWith(words[0]) - a.plain.startsWith(words[0]));
  };
  search.addEventListener("input", () => {
    const all = hits(), list = by("hallados");
    list.replaceChildren();
    all.slice(0, MOST).forEach(place => {
      const button = add(add(list, "li"), "button", place.label);
      button.type = "button";
      button.addEventListener("click", () => tell(place));
    });
    by("cuantos").textContent = !search.value.trim() ? "" : all.length === 1 ? "1 lugar"
      : digits.format(all.length) + " lugares" + (all.length > MOST ? "; se ven " + MOST : "");
  });
  search.addEventListener("change", () => {  // Enter, or leaving the box: only where there is no doubt
    const all = hits(), asked = plain(search.value.trim());
    const exact = all.filter(place => place.plain === asked || plain(place.id) === asked);
    if (all.length === 1 || exact.length === 1) tell(exact[0] || all[0]);
  });

  by("plan").addEventListener("change", draw);

  const AT_ONCE = 200;  // rows: a browser lays out thousands only in seconds
  let first = 0;
  const rows = () => {
    const one = told[by("clase").value], all = places.filter(place => place.kind === by("clase").value), table = by("filas");
    table.replaceChildren();
    const head = table.createTHead().insertRow();
    const labels = one.columns.map(column => column.label + (column.unit ? " (" + column.unit + ")" : ""));
    ["Nombre", one.title, ...labels].forEach(label => { add(head, "th", label).scope = "col"; });
    const body = table.createTBody();
    all.slice(first, first + AT_ONCE).forEach(place => {
      const line = body.insertRow(), cell = add(line, "th");
      cell.scope = "row";
      const button = add(cell, "button", place.name);
      button.type = "button";
      button.addEventListener("click", () => tell(place));
      add(line, "td", place.id);
      one.columns.forEach(column => {
        add(line, "td", value(column, place.row, false)).className = column.numbers ? "n" : "";
      });
    });
    by("tramo").textContent = all.length ? digits.format(first + 1) + " a " + digits.format(Math.min(first + AT_ONCE, all.length))
      + " de " + digits.format(all.length) : "ninguna";
    by("antes").disabled = !first;
    by("despues").disabled = first + AT_ONCE >= all.length;
  };
  const turn = to => { first = to; rows(); };
  by("tabla").addEventListener("toggle", () => { if (by("tabla").open) turn(0); });
  by("clase").addEventListener("change", () => turn(0));
  by("antes").addEventListener("click", () => turn(first - AT_ONCE));
  by("despues").addEventListener("click", () => turn(first + AT_ONCE));

  /* The sheet is laid out before it is printed, else the map keeps the size of the screen. */
  let seen = null;
  const laid = printing => {
    if (printing) seen = map.getBounds();
    document.body.classList.toggle("imprime", printing);
    map.invalidateSize({animate: false, pan: false});
    if (seen) map.fitBounds(seen, {animate: false});
  };
  window.addEventListener("beforeprint", () => laid(true));
  window.addEventListener("afterprint", () => laid(false));
  draw();
})();

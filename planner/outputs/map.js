/* Draws the planner's layers on a Leaflet map. Data arrive column by column and are shown as text, never as HTML. */
/* `names`: the layers of this map with what the reader calls them, ground up; those in `hidden` are shown on demand. */
window.plannerMap = function (map, base, names, hidden) {
  const PI = Math.PI;
  const ring = (n, turn, inner) => Array.from({length: n}, (_, i) => {
    const far = inner && i % 2 ? inner : 1;
    return [far * Math.sin(turn + 2 * PI * i / n), -far * Math.cos(turn + 2 * PI * i / n)];
  });
  const third = 0.36;
  const SHAPES = {
    square: ring(4, PI / 4), diamond: ring(4, 0), triangle: ring(3, 0), star: ring(10, 0, 0.45),
    cross: [[-third, -1], [third, -1], [third, -third], [1, -third], [1, third], [third, third],
            [third, 1], [-third, 1], [-third, third], [-1, third], [-1, -third], [-third, -third]],
  };
  const Mark = L.CircleMarker.extend({  // one canvas for everything: only the top canvas would get the clicks
    _updatePath: function () {
      const shape = SHAPES[this.options.shape], canvas = this._renderer;
      if (!shape) return canvas._updateCircle(this);
      if (!canvas._drawing || this._empty()) return;
      const pen = canvas._ctx, at = this._point, size = this._radius;
      pen.beginPath();
      shape.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](at.x + x * size, at.y + y * size));
      pen.closePath();
      canvas._fillStroke(pen, this);
    },
  });

  const count = value => Math.round(value).toLocaleString("en-US");
  const box = lines => {
    const node = document.createElement("div");
    lines.filter(Boolean).forEach((line, i) => {
      const row = node.appendChild(document.createElement(i ? "div" : "strong"));
      row.textContent = line;
    });
    return node;
  };
  let clicks = 0;
  let focus = "";  // what the view was last set for: a click keeps the view, a search moves it
  const choose = (kind, id, own) => {
    focus = kind + "/" + id;
    if (window.plannerChosen) window.plannerChosen(kind, id, own);  // a page without a server tells it itself
    else if (window.Streamlit) window.Streamlit.setComponentValue({kind: kind, id: id, click: ++clicks});
  };

  const groups = {}, drawn = {}, overlays = {};
  const pane = map.createPane("ground");  // a canvas of its own, below: it is not redrawn when a mark is
  pane.style.zIndex = 300;
  pane.style.pointerEvents = "none";
  const below = {pane: "ground", renderer: L.canvas({pane: "ground"}), interactive: false};
  if (base.barriers.lines.length + base.barriers.areas.length) {
    overlays["Ríos y otras barreras"] = L.featureGroup([
      L.polygon(base.barriers.areas, {...below, color: "#9cc3dd", weight: 1, fillColor: "#cfe3ef", fillOpacity: 1}),
      L.polyline(base.barriers.lines, {...below, color: "#9cc3dd", weight: 1.6})]).addTo(map);
  }
  if (base.image) overlays["Caminos"] = L.imageOverlay(base.image, base.image_bounds, {opacity: 0.9}).addTo(map);
  if (base.roads.length) {
    overlays["Caminos"] = L.featureGroup(base.roads.map(
      road => L.polyline(road.lines, {...below, color: road.color, weight: road.weight}))).addTo(map);
  }
  const borders = L.polyline(base.borders, {color: "#8a94a0", weight: 1, interactive: false}).addTo(map);
  names.forEach(([key, label]) => {
    groups[key] = L.featureGroup();
    if (!hidden.includes(key)) groups[key].addTo(map);
    if (label) overlays[label] = groups[key];
  });
  L.control.layers(null, overlays, {collapsed: true, position: "topright"}).addTo(map);
  L.control.zoom({zoomInTitle: "Acercar", zoomOutTitle: "Alejar"}).addTo(map);
  L.control.scale({imperial: false}).addTo(map);
  if (base.note) {
    const note = L.control({position: "bottomright"});
    note.onAdd = () => {
      const node = L.DomUtil.create("div", "planner-note");
      node.textContent = base.note;
      return node;
    };
    note.addTo(map);
  }
  map.fitBounds(base.bounds, {padding: [12, 12], animate: false});

  /* Marks shrink on a map of a whole state, so that towns are seen between units. */
  const SMALLEST = {localidades: 0.45, unidades: 0.4, otras: 0.4, propuestas: 0.6, sedes: 0.5, hospitales: 0.8};
  const scale = name => Math.min(1.25, Math.max(SMALLEST[name], 1 + (map.getZoom() - 10.5) * 0.22));
  const rescale = () => Object.keys(SMALLEST).filter(name => groups[name]).forEach(name => groups[name].eachLayer(mark => {
    mark.options.weight = mark.options.line * Math.min(1, scale(name));
    mark.setRadius(mark.options.size * scale(name));
  }));
  map.on("zoomend", rescale);

  const points = (group, data, kind, style, lines) => {
    for (let i = 0; i < data.id.length; i++) {
      const look = style(i);
      const mark = new Mark([data.lat[i], data.lon[i]], {...look, bubblingMouseEvents: false, size: look.radius, line: look.weight});
      mark.bindTooltip(() => box(lines(i)), {direction: "top", sticky: true});
      if (kind) mark.on("click", () => choose(kind, data.id[i]));
      group.addLayer(mark);
    }
  };
  const draw = {
    localidades: (group, data) => points(group, data, "localidad",
      i => ({radius: data.size[i] / 10, color: "#3b4350", weight: 0.5, fillColor: base.colors[data.color[i]], fillOpacity: 0.9}),
      i => [data.name[i], data.places[data.place[i]],
            data.score[i] === null ? "Brecha: sin dato" : "Brecha: " + data.score[i].toFixed(1) + " de 100",
            count(data.people[i]) + " personas objetivo"]),
    unidades: (group, data) => points(group, data, "unidad",
      i => base.units[data.color[i]], i => [data.name[i], base.unit_names[data.color[i]], data.id[i]]),
    otras: (group, data) => draw.unidades(group, data),
    propuestas: (group, data) => points(group, data, "propuesta",
      i => base.proposals[data.color[i]], i => ["Propuesta: " + base.proposal_names[data.color[i]], data.name[i], data.note[i]]),
    rutas: (group, data) => data.line.forEach((line, i) => {
      group.addLayer(L.polyline(line, {color: "#b0256f", weight: data.alone ? 2 : 1, opacity: data.alone ? 0.8 : 0.35})
        .bindTooltip(() => box(["Ruta propuesta", data.name[i], data.note[i]]), {sticky: true}));
    }),
    areas: (group, data) => data.rings.forEach((rings, i) => group.addLayer(
      L.polygon(rings, {color: "#1f5fa8", weight: 1, opacity: 0.7, fillColor: base.bands[Math.min(data.band[i], base.bands.length - 1)],
                        fillOpacity: 0.35, interactive: false}))),
    referencias: (group, data) => data.line.forEach((line, i) => group.addLayer(
      L.polyline(line, {color: "#d55e00", weight: 3, opacity: 0.85})
        .bindTooltip(() => box(["Camino al hospital de referencia", data.name[i]]), {sticky: true}))),
    distritos: (group, data) => data.rings.forEach((parts, i) => {
      const shape = L.polygon(parts, {color: "#33404d", weight: 1.6, fillColor: data.colors[data.color[i]], fillOpacity: 0.42})
        .bindTooltip(() => box(data.lines[i]), {sticky: true});
      shape.on("click", event => choose("punto", event.latlng.lat + "," + event.latlng.lng, data.id[i]));
      group.addLayer(shape);
      if (parts.length) {
        group.addLayer(L.marker(data.label[i], {interactive: false, icon: L.divIcon({className: "", iconSize: [0, 0]})})
          .bindTooltip(() => box([data.id[i]]), {permanent: true, direction: "center", className: "planner-label"}));
      }
    }),
    municipios: (group, data) => points(group, data, "municipio",
      i => ({radius: 7, shape: "square", color: "#33404d", weight: 1, fillColor: data.colors[data.color[i]], fillOpacity: 0.9}),
      i => data.lines[i]),
    distritos_hoy: (group, data) => group.addLayer(
      L.polyline(data.line, {color: data.ink, weight: 2.4, dashArray: "2 6", opacity: 0.9, interactive: false})),
    redes: (group, data) => data.line.forEach((line, i) => group.addLayer(
      L.polyline(line, {color: data.ink, weight: 1.3, opacity: 0.6}).bindTooltip(() => box(data.lines[i]), {sticky: true}))),
    zonas: (group, data) => data.line.forEach((line, i) => group.addLayer(
      L.polyline(line, {color: data.ink, weight: 2, opacity: 0.85}).bindTooltip(() => box(data.lines[i]), {sticky: true}))),
    sedes: (group, data) => points(group, data, "", i => base.units[data.color[i]], i => data.lines[i]),
    hospitales: (group, data) => points(group, data, "", i => base.units[data.color[i]], i => data.lines[i]),
    elegida: (group, data) => {
      group.addLayer(new Mark([data.lat, data.lon], {radius: 13, color: "#111", weight: 2.5, fill: false, interactive: false}));
      if (data.place !== focus) map.fitBounds(data.view, {padding: [40, 40], maxZoom: 12, animate: false});
      focus = data.place;
    },
  };

  /* `layers`: name -> {key, ...columns}. A layer whose key has not changed is left as it stands. */
  this.update = layers => {
    let changed = false;
    names.forEach(([name]) => {
      const data = layers[name], key = data ? data.key : "";
      if (drawn[name] === key) return;
      drawn[name] = key;
      changed = true;
      groups[name].clearLayers();
      if (data) draw[name](groups[name], data);
      else if (name === "elegida") focus = "";
    });
    if (changed) {
      rescale();
      names.forEach(([name]) => map.hasLayer(groups[name]) && groups[name].bringToFront());
    }
  };
  map.on("overlayadd", () => {
    rescale();
    names.forEach(([name]) => map.hasLayer(groups[name]) && groups[name].bringToFront());
  });
  borders.bringToBack();
};

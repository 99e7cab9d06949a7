/* Draws the planner's layers on a Leaflet map. Data arrive column by column and are shown as text, never as HTML. */
/* `names`: the layers of this map with what the reader calls them, ground up; those in `hidden` are shown on demand. */
window.plannerMap = function (map, names, hidden) {
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
  const tell = what => window.Streamlit && window.Streamlit.setComponentValue({...what, click: ++clicks});

  /* What outlives this frame while its page is open: layers received, the view, the layers that are shown. */
  const HELD = 24;  // layers; those not drawn for longest are forgotten first
  let page = window;
  try { if (window.parent.document) page = window.parent; } catch (fault) { /* a page of another origin keeps nothing for us */ }
  const held = page.plannerHeld = page.plannerHeld || new Map();
  const store = page === window ? null : page.sessionStorage;  // a file remembers nothing
  const recall = key => store && JSON.parse(store.getItem("planner-" + key));
  const remember = (key, value) => store && store.setItem("planner-" + key, JSON.stringify(value));
  const container = map.getContainer();  // a click must not scroll the page around the frame, which would lose it
  container.focus = () => HTMLElement.prototype.focus.call(container, {preventScroll: true});
  let focus = recall("focus") || "";  // what the view was last set for: a click keeps the view, a search moves it
  const setFocus = place => { focus = place; remember("focus", place); };
  const choose = (kind, id, own) => {
    setFocus(kind + "/" + id);
    if (window.plannerChosen) window.plannerChosen(kind, id, own);  // a page without a server tells it itself
    else tell({kind: kind, id: id});
  };

  const groups = {}, drawn = {}, overlays = {};
  const pane = map.createPane("ground");  // a canvas of its own, below: it is not redrawn when a mark is
  pane.style.zIndex = 300;
  pane.style.pointerEvents = "none";
  const below = {pane: "ground", renderer: L.canvas({pane: "ground"}), interactive: false};
  const shown = recall("layers") || {};  // by what the reader calls it, what was switched on or off
  names.forEach(([key, label]) => {
    groups[key] = L.featureGroup();
    if (shown[label] === undefined ? !hidden.includes(key) : shown[label]) groups[key].addTo(map);
    if (label) overlays[label] = groups[key];
  });
  const control = L.control.layers(null, overlays, {collapsed: true, position: "topright"}).addTo(map);
  L.control.zoom({zoomInTitle: "Acercar", zoomOutTitle: "Alejar"}).addTo(map);
  L.control.scale({imperial: false}).addTo(map);

  /* The ground: barriers, roads, borders, a note; its colours and names serve every layer. */
  let base = null, ground = [];
  const addGround = (label, layer) => {
    if (shown[label] !== false) layer.addTo(map);
    control.addOverlay(layer, label);
    ground.push(layer);
  };
  const drawGround = data => {
    ground.forEach(layer => { control.removeLayer(layer); layer.remove(); });
    ground = [];
    base = data;
    if (data.barriers.lines.length + data.barriers.areas.length) {
      addGround("Ríos y otras barreras", L.featureGroup([
        L.polygon(data.barriers.areas, {...below, color: "#9cc3dd", weight: 1, fillColor: "#cfe3ef", fillOpacity: 1}),
        L.polyline(data.barriers.lines, {...below, color: "#9cc3dd", weight: 1.6})]));
    }
    if (data.image) addGround("Caminos", L.imageOverlay(data.image, data.image_bounds, {opacity: 0.9}));
    if (data.roads.length) {
      addGround("Caminos", L.featureGroup(data.roads.map(
        road => L.polyline(road.lines, {...below, color: road.color, weight: road.weight}))));
    }
    ground.push(L.polyline(data.borders, {...below, color: "#8a94a0", weight: 1}).addTo(map));
    if (data.note) {
      const note = L.control({position: "bottomright"});
      note.onAdd = () => {
        const node = L.DomUtil.create("div", "planner-note");
        node.textContent = data.note;
        return node;
      };
      ground.push(note.addTo(map));
    }
    const view = recall("view-" + data.key);
    if (view) map.setView(view.center, view.zoom, {animate: false});
    else map.fitBounds(data.bounds, {padding: [12, 12], animate: false});
  };
  map.on("moveend", () => base && remember("view-" + base.key, {center: map.getCenter(), zoom: map.getZoom()}));

  /* Marks shrink on a map of a whole state, so that towns are seen between units. */
  const SMALLEST = {localidades: 0.45, unidades: 0.4, otras: 0.4, propuestas: 0.6, sedes: 0.5, hospitales: 0.8, avisos: 0.7};
  const scale = name => Math.min(1.25, Math.max(SMALLEST[name], 1 + (map.getZoom() - 10.5) * 0.22));
  const rescale = () => Object.keys(SMALLEST).filter(name => groups[name]).forEach(name => groups[name].eachLayer(mark => {
    mark.options.weight = mark.options.line * Math.min(1, scale(name));
    mark.setRadius(mark.options.size * scale(name));
  }));
  map.on("zoomend", rescale);

  const points = (group, data, kind, style, lines) => {
    const put = i => {
      const look = style(i);
      const mark = new Mark([data.lat[i], data.lon[i]], {...look, bubblingMouseEvents: false, size: look.radius, line: look.weight});
      mark.bindTooltip(() => box(lines(i)), {direction: "top", sticky: true});
      if (kind) mark.on("click", () => choose(kind, data.id[i]));
      group.addLayer(mark);
    };
    const passes = i => !data.rows || data.rows[i >> 3] >> (i & 7) & 1;  // not filtered out
    crowds.delete(group);
    if (data.id.length > MANY) crowds.set(group, crowd(data, passes, put));
    else for (let i = 0; i < data.id.length; i++) if (passes(i)) put(i);
  };

  /* Of more points than a screen can tell apart, the largest of each few pixels of the view; more come as one zooms in. */
  const MANY = 12000, MOST = 6000, APART_PX = 6;
  const crowds = new Map();
  const mercator = lat => (1 - Math.asinh(Math.tan(lat * PI / 180)) / PI) / 2;
  const crowd = (data, passes, put) => {
    const order = Uint32Array.from(data.id.keys());
    if (data.size) order.sort((a, b) => data.size[b] - data.size[a] || a - b);
    return {order, passes, put, x: Float64Array.from(data.lon, lon => (lon + 180) / 360), y: Float64Array.from(data.lat, mercator)};
  };
  const thin = (group, {order, passes, put, x, y}) => {
    const view = map.getBounds().pad(0.15), cell = APART_PX / (256 * 2 ** map.getZoom());
    const west = (view.getWest() + 180) / 360, east = (view.getEast() + 180) / 360;
    const north = mercator(view.getNorth()), south = mercator(view.getSouth());
    const taken = new Set();
    group.clearLayers();
    for (const i of order) {
      if (x[i] < west || x[i] > east || y[i] < north || y[i] > south || !passes(i)) continue;
      const here = Math.floor(x[i] / cell) * 2 ** 24 + Math.floor(y[i] / cell);
      if (taken.has(here)) continue;
      put(i);
      if (taken.add(here).size >= MOST) break;
    }
  };
  const crowded = L.control({position: "bottomright"});  // says that not every point is drawn
  crowded.onAdd = () => L.DomUtil.create("div", "planner-note");
  const thinAll = () => {
    crowds.forEach((all, group) => map.hasLayer(group) && thin(group, all));
    if (!crowds.size) return crowded.remove();
    if (!crowded.getContainer()) crowded.addTo(map);
    crowded.getContainer().textContent = "Se ven los lugares mayores; acérquese para ver más";
  };
  map.on("moveend", () => {
    if (!crowds.size) return;
    thinAll();
    rescale();
    order();
  });
  const unfold = steps => {  // whole steps of 1e-4 degrees from the point before
    const ring = [];
    for (let i = 0, lat = 0, lon = 0; i < steps.length; i += 2) ring.push([(lat += steps[i]) / 1e4, (lon += steps[i + 1]) / 1e4]);
    return ring;
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
    influencias: (group, data) => data.rings.forEach((ring, i) => group.addLayer(
      L.polygon(unfold(ring), {...below, color: "#1f5fa8", weight: 0.6, opacity: 0.6, fillOpacity: 0.3,
                               fillColor: base.bands[Math.min(data.band[i], base.bands.length - 1)]}))),
    areas: (group, data) => data.rings.forEach((rings, i) => group.addLayer(
      L.polygon(rings, {color: "#1f5fa8", weight: 1, opacity: 0.7, fillColor: base.bands[Math.min(data.band[i], base.bands.length - 1)],
                        fillOpacity: 0.35, interactive: false}))),
    referencias: (group, data) => data.line.forEach((line, i) => group.addLayer(
      L.polyline(line, {color: "#d55e00", weight: 3, opacity: 0.85})
        .bindTooltip(() => box(["Camino al hospital de referencia", data.name[i]]), {sticky: true}))),
    avisos: (group, data) => points(group, data, "",
      i => ({radius: 6, shape: data.kind[i] === "unidad" ? "square" : "circle", color: "#14213d", weight: 1, fillColor: "#d55e00",
             fillOpacity: 0.85}), i => [data.name[i], data.id[i], data.told[i]]),
    puntajes: (group, data) => data.rings.forEach((parts, i) => group.addLayer(
      L.polygon(parts, {color: "#fff", weight: 0.5, fillColor: base.colors[data.color[i]], fillOpacity: 0.75})
        .bindTooltip(() => box(data.lines[i]), {sticky: true}).on("click", () => choose("municipio", data.id[i])))),
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
      setFocus(data.place);
    },
  };

  /* A layer as it is drawn: what the page holds of it, with the columns of the layer that it stands on; null if some are not held. */
  const whole = named => {
    const data = held.get(named.key), under = data && data.on ? held.get(data.on) : {};
    return data && under ? {...under, ...data} : null;
  };
  const hold = layers => {
    Object.values(layers).forEach(data => {
      const known = Object.keys(data).length > 1 ? data : held.get(data.key);
      held.delete(data.key);
      if (known) held.set(data.key, known);
    });
    while (held.size > HELD) held.delete(held.keys().next().value);
  };
  const order = () => names.forEach(([name]) => map.hasLayer(groups[name]) && groups[name].bringToFront());

  /* `layers`: name -> {key, ...columns}, or only {key} where the columns were sent before. A layer whose key has not changed is left
     as it stands; one that is not shown waits until it is. `filtro` holds the rows that are drawn, as bits, by layer. */
  let last = {};
  this.update = layers => {
    hold(layers);
    const lost = Object.values(layers).filter(named => !whole(named)).map(named => named.key);
    if (lost.length) return tell({lost: lost});
    last = layers;
    if (!base || base.key !== layers.base.key) drawGround(held.get(layers.base.key));
    const only = layers.filtro ? whole(layers.filtro) : {};
    let changed = false;
    names.forEach(([name]) => {
      const named = layers[name], rows = only[name], key = named ? named.key + (rows || "") : "";
      if (drawn[name] === key || (named && !map.hasLayer(groups[name]))) return;
      drawn[name] = key;
      changed = true;
      groups[name].clearLayers();
      if (named) draw[name](groups[name], {...whole(named), rows: rows && Uint8Array.from(atob(rows), c => c.charCodeAt(0))});
      else if (name === "elegida") setFocus("");
    });
    if (changed) {
      thinAll();
      rescale();
      order();
    }
  };
  const switched = on => event => {
    shown[event.name] = on;
    remember("layers", shown);
    if (on && last.base) {
      this.update(last);
      rescale();
      order();
    }
  };
  map.on("overlayadd", switched(true));
  map.on("overlayremove", switched(false));
};

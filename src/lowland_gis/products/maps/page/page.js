"use strict";
(function () {
  const begun = performance.now();
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const PER_METRE = data.per_metre;

  // Everything that is shown goes in as text, never as markup.
  function made(name, text, look) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (look) element.className = look;
    return element;
  }

  function numbers(text) {
    const bytes = atob(text), found = [];
    let value = 0, weight = 1;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes.charCodeAt(i);
      value += (byte & 127) * weight;
      if (byte & 128) { weight *= 128; continue; }
      found.push(value % 2 ? -(value + 1) / 2 : value / 2);
      value = 0; weight = 1;
    }
    return found;
  }

  // Shapes in flat arrays: where each begins among the rings, each ring among the points, and the box of each shape.
  function shapes(text) {
    const rings = numbers(text.rings), points = numbers(text.points), steps = numbers(text.xy);
    const n = rings.length, first = new Int32Array(n + 1), start = new Int32Array(points.length + 1);
    for (let i = 0; i < n; i++) first[i + 1] = first[i] + rings[i];
    for (let i = 0; i < points.length; i++) start[i + 1] = start[i] + points[i];
    const xy = new Float64Array(steps.length), box = new Float64Array(4 * n);
    let x = 0, y = 0;
    for (let i = 0; i < steps.length; i += 2) {
      x += steps[i]; y += steps[i + 1];
      xy[i] = x / PER_METRE; xy[i + 1] = y / PER_METRE;
    }
    for (let i = 0; i < n; i++) {
      let w = Infinity, s = Infinity, e = -Infinity, o = -Infinity;
      for (let p = start[first[i]]; p < start[first[i + 1]]; p++) {
        w = Math.min(w, xy[2 * p]); e = Math.max(e, xy[2 * p]);
        s = Math.min(s, xy[2 * p + 1]); o = Math.max(o, xy[2 * p + 1]);
      }
      box.set([w, s, e, o], 4 * i);
    }
    return { n, first, start, xy, box };
  }

  const parcels = data.parcels;
  parcels.shapes = shapes(parcels.shapes);
  for (const name of ["kind", "town", "state"]) parcels[name] = numbers(parcels[name]);
  const numberOf = new Map(parcels.codes.map((code, i) => [code, i]));
  for (const layer of data.layers) layer.shapes = shapes(layer.shapes);

  const chosen = { town: -1, kind: -1, state: -1, parcel: -1 };
  const off = new Set(data.layers.filter((layer) => layer.off).map((layer) => layer.key));
  const offKinds = new Set();
  let seen = new Uint8Array(parcels.codes.length);

  // The plane of the project: metres east and north of the corner, y upward on the screen.
  const resolutions = [];
  for (let r = 512; r >= 0.05; r /= 2) resolutions.push(r);
  const crs = new L.Proj.CRS(data.crs.name, data.crs.proj4, { resolutions, origin: data.corner });
  const map = L.map("map", { crs, preferCanvas: true, attributionControl: false, zoomControl: false, maxZoom: resolutions.length - 1, zoomSnap: 0.25, zoomDelta: 1, wheelPxPerZoomLevel: 90 });
  L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小" }).addTo(map);
  L.control.scale({ imperial: false, maxWidth: 160 }).addTo(map);
  const corner = data.corner;
  const place = (x, y) => crs.projection.unproject(L.point(x + corner[0], y + corner[1]));
  const metres = (latlng) => { const p = crs.projection.project(latlng); return [p.x - corner[0], p.y - corner[1]]; };

  const patterns = new Map();
  function hatching(context, hatch, colour, ratio) {
    const key = hatch[0] + colour + ratio;
    if (!patterns.has(key)) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = Math.round(8 * ratio);
      const pen = tile.getContext("2d"), size = tile.width;
      pen.strokeStyle = pen.fillStyle = colour; pen.lineWidth = ratio * 0.8;
      pen.beginPath();
      for (const d of [-size, 0, size]) {
        if (hatch.includes("/") || hatch.includes("x")) { pen.moveTo(d, size); pen.lineTo(d + size, 0); }
        if (hatch.includes("\\") || hatch.includes("x")) { pen.moveTo(d, 0); pen.lineTo(d + size, size); }
      }
      if (/[.oO*]/.test(hatch)) pen.fillRect(size / 2, size / 2, ratio * 1.5, ratio * 1.5);
      pen.stroke();
      patterns.set(key, context.createPattern(tile, "repeat"));
    }
    return patterns.get(key);
  }

  // One canvas for all: a little larger than the view, moved with the map while it is dragged, drawn anew when it rests.
  const Drawing = L.Layer.extend({
    onAdd(on) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", on.getPanes().overlayPane);
      on.on("moveend viewreset resize", this.draw, this);
      this.draw();
    },
    onRemove(on) { on.off("moveend viewreset resize", this.draw, this); this._canvas.remove(); },
    draw() {
      const from = performance.now();
      const size = map.getSize(), pad = L.point(Math.round(size.x * 0.35), Math.round(size.y * 0.35));
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const width = size.x + 2 * pad.x, height = size.y + 2 * pad.y, canvas = this._canvas;
      if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
        canvas.width = width * ratio; canvas.height = height * ratio;
        canvas.style.width = width + "px"; canvas.style.height = height + "px";
      }
      const corner_ = map.containerPointToLayerPoint([-pad.x, -pad.y]);
      L.DomUtil.setPosition(canvas, corner_);
      const scale = crs.scale(map.getZoom()), origin = map.getPixelOrigin().add(corner_);
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      this.view = { pen, scale, dx: -origin.x, dy: -origin.y, width, height, ratio };
      for (const layer of data.layers) if (layer.below && !off.has(layer.key)) this.paint(layer.shapes, layer.style, layer);
      this.paintParcels();
      for (const layer of data.layers) if (!layer.below && !off.has(layer.key)) this.paint(layer.shapes, layer.style, layer);
      for (const layer of data.layers) if (layer.names && !off.has(layer.key)) this.name(layer);
      if (chosen.parcel >= 0) this.paint(parcels.shapes, { fill: "none", outline: "#00A3FF", width: 3 }, {}, [chosen.parcel]);
      window.lowland.drawn = performance.now() - from;
    },
    // Some shapes at a time: the time of one path grows faster than the number of outlines in it.
    paint(shape, style, layer, some) {
      const n = some ? some.length : shape.n;
      for (let from = 0; from < n; from += 40) this.paintSome(shape, style, layer, some, from, Math.min(from + 40, n));
    },
    paintSome(shape, style, layer, some, from, to) {
      const v = this.view, pen = v.pen;
      let drawn = false;
      pen.beginPath();
      for (let i = from; i < to; i++) drawn = this.trace(shape, some ? some[i] : i, layer.lines) || drawn;
      if (!drawn) return;
      if (!layer.lines && style.fill !== "none") { pen.fillStyle = style.fill; pen.fill("evenodd"); }
      if (!layer.lines && style.hatch) { pen.fillStyle = hatching(pen, style.hatch, style.outline, v.ratio); pen.fill("evenodd"); }
      if (style.outline !== "none") {
        pen.strokeStyle = style.outline; pen.lineWidth = Math.max(0.5, style.width * 1.33); pen.lineJoin = "round";
        pen.setLineDash(style.dash || []); pen.stroke(); pen.setLineDash([]);
      }
    },
    paintParcels() {
      const byKind = data.kinds.map(() => []), far = 1 / this.view.scale > 6;
      for (let i = 0; i < seen.length; i++) if (seen[i]) byKind[parcels.kind[i]].push(i);
      data.kinds.forEach((kind, k) => {
        const style = far ? Object.assign({}, kind.style, { outline: "none" }) : kind.style;
        if (byKind[k].length) this.paint(parcels.shapes, style, {}, byKind[k]);
      });
    },
    trace(shape, i, open) {
      const v = this.view, b = 4 * i, s = v.scale, box = shape.box;
      const w = box[b] * s + v.dx, e = box[b + 2] * s + v.dx, n = v.dy - box[b + 3] * s, o = v.dy - box[b + 1] * s;
      if (!(e >= 0 && w <= v.width && o >= 0 && n <= v.height)) return false;
      if (!open && e - w < 2 && o - n < 2) { v.pen.rect(w, n, Math.max(e - w, 0.7), Math.max(o - n, 0.7)); return true; }
      const pen = v.pen, xy = shape.xy;
      for (let r = shape.first[i]; r < shape.first[i + 1]; r++) {
        const to = shape.start[r + 1];
        for (let p = shape.start[r]; p < to; p++) {
          const x = xy[2 * p] * s + v.dx, y = v.dy - xy[2 * p + 1] * s;
          if (p === shape.start[r]) pen.moveTo(x, y); else pen.lineTo(x, y);
        }
        if (!open) pen.closePath();
      }
      return true;
    },
    name(layer) {
      const v = this.view, pen = v.pen;
      pen.font = (layer.key === "unit" ? 12 : 15) + "px " + getComputedStyle(document.body).fontFamily;
      pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
      layer.names.forEach((name, i) => {
        const x = layer.places[i][0] * v.scale + v.dx, y = v.dy - layer.places[i][1] * v.scale;
        const room = (layer.shapes.box[4 * i + 2] - layer.shapes.box[4 * i]) * v.scale;
        if (x < 0 || x > v.width || y < 0 || y > v.height || (layer.key === "unit" && room < 60)) return;
        pen.lineWidth = 3; pen.strokeStyle = "#fff"; pen.strokeText(name, x, y);
        pen.fillStyle = data.ink; pen.fillText(name, x, y);
      });
    },
  });

  function inside(shape, i, x, y) {
    let found = false;
    for (let r = shape.first[i]; r < shape.first[i + 1]; r++) {
      for (let p = shape.start[r], q = shape.start[r + 1] - 1; p < shape.start[r + 1]; q = p++) {
        const xp = shape.xy[2 * p], yp = shape.xy[2 * p + 1], xq = shape.xy[2 * q], yq = shape.xy[2 * q + 1];
        if (yp > y !== yq > y && x < ((xq - xp) * (y - yp)) / (yq - yp) + xp) found = !found;
      }
    }
    return found;
  }

  function at_place(shape, x, y, wanted) {
    for (let i = 0; i < shape.n; i++) {
      if (wanted && !wanted[i]) continue;
      const b = 4 * i;
      if (x < shape.box[b] || x > shape.box[b + 2] || y < shape.box[b + 1] || y > shape.box[b + 3]) continue;
      if (inside(shape, i, x, y)) return i;
    }
    return -1;
  }

  // What is known of a parcel is read out of long texts only when one is clicked.
  const columns = new Map();
  function column(measure) {
    if (!columns.has(measure)) columns.set(measure, data.measures[measure].values.split(","));
    return columns.get(measure);
  }
  function unpacked(holder, name) {
    if (typeof holder[name] === "string") holder[name] = numbers(holder[name]);
    return holder[name];
  }

  function shown(value, unit) {
    if (value === "" || value === null || value === undefined) return "未知";
    const number = Number(value);
    if (unit === "share") return (number * 100).toFixed(2).replace(/\.?0+$/, "") + "%";
    if (unit === "yes/no") return number ? "是" : "否";
    if (unit === "calendar year") return String(Math.round(number));
    const units = { month: "个月", year: "年", ratio: "", point: "分" };
    return (Math.round(number * 10000) / 10000).toLocaleString("zh-CN", { maximumFractionDigits: 4 }) + " " + (unit in units ? units[unit] : unit);
  }

  const SIGNS = { t: "✔", f: "✘", u: "?" }, NOT = { t: "f", f: "t", u: "u" }, OPS = { "<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "=" };
  function whole(question, letters, name) {
    const part = question.parts.find((item) => item.name === name);
    const found = letters[name] + part.unless.map((other) => NOT[whole(question, letters, other)]).join("");
    return found.includes("f") ? "f" : found.includes("u") ? "u" : "t";
  }

  function clause(table, item, letter, i) {
    const row = table.insertRow(), sign = made("td", SIGNS[letter], letter);
    row.append(sign);
    const cell = row.insertCell();
    cell.append(made("div", item.title, letter));
    let said = "";
    if (item.measure >= 0) {
      const measure = data.measures[item.measure], value = column(item.measure)[i];
      const band = measure.bands[i];
      const limit = item.limits ? item.limits[unpacked(item, "limit_of")[i]] : item.limit;
      said = measure.title + "：" + shown(value, measure.unit);
      if (band) said += "（" + shown(band[0], measure.unit) + "～" + shown(band[1], measure.unit) + "）";
      said += "；条件 " + OPS[item.op] + " " + (limit === null ? "（无现行规定）" : shown(limit, measure.unit));
    }
    if (letter === "u" && item.needed) said += (said ? "；" : "") + "待补：" + item.needed + (item.office ? "（" + item.office + "）" : "");
    if (said) cell.append(made("div", said, "quiet"));
  }

  function verdict(question, i) {
    const combo = unpacked(question, "of")[i] - 1;
    if (combo < 0) return null;
    const [answer, settled, decided, candidate, trace] = question.combos[combo];
    const letters = {}; let start = 0;
    for (const part of question.parts) { letters[part.name] = trace.slice(start, start + part.clauses.length); start += part.clauses.length; }
    const box = made("div"), head = made("h3", question.title + "：");
    head.append(made("span", question.answers[answer] || answer, settled ? "answer" : "answer u"));
    box.append(head);
    if (!settled && candidate) box.append(made("div", "可能为" + (question.answers[candidate] || candidate) + "，待补材料", "quiet"));
    for (const part of question.parts) {
      const outcome = whole(question, letters, part.name);
      // Of the other questions only what decided or is still open is worth a line.
      if (outcome === "f" && part.name !== decided && question.name !== data.main) continue;
      const rule = made("details", undefined, "rule" + (part.name === decided ? " holds" : ""));
      rule.open = part.name === decided || (!decided && outcome === "u");
      const line = made("summary");
      line.append(made("span", SIGNS[outcome] + " ", outcome), made("span", part.title + (part.answer ? "" : "（例外）") + (part.name === decided ? "（据此认定）" : "")));
      rule.append(line, made("div", part.article, "quiet"));
      const table = made("table");
      part.clauses.forEach((item, c) => clause(table, item, letters[part.name][c], i));
      rule.append(table);
      box.append(rule);
    }
    return box;
  }

  function tell(i) {
    const box = at("parcel");
    box.replaceChildren();
    if (i < 0) return;
    const table = made("table"), row = (name, text) => { const r = table.insertRow(); r.append(made("th", name), made("td", text)); };
    const unit = data.layers.find((layer) => layer.key === "unit"), b = parcels.places[i];
    row("宗地代码", parcels.codes[i]);
    row("镇街", data.towns[parcels.town[i]]);
    row("坐落", parcels.location[i] || "未填");
    row("面积", parcels.area[i].toLocaleString("zh-CN", { minimumFractionDigits: 2 }) + " m²（" + (parcels.area[i] / data.mu_m2).toFixed(2) + " 亩）");
    row("状态", data.states[parcels.state[i]]);
    if (unit) { const u = at_place(unit.shapes, b[0], b[1]); row("再开发单元", u < 0 ? "不在单元内" : unit.names[u]); }
    const planning = data.layers.find((layer) => layer.key === "planning");
    if (planning) { const p = at_place(planning.shapes, b[0], b[1]); row("规划单元", p < 0 ? "不在规划单元内" : planning.names[p]); }
    const link = made("a", "链接到此宗地"); link.href = "#parcel=" + encodeURIComponent(parcels.codes[i]);
    box.append(table, link);
    for (const question of data.questions) { const part = verdict(question, i); if (part) box.append(part); }
  }

  const drawing = new Drawing();
  function choose(i, move) {
    chosen.parcel = i;
    tell(i);
    at("said").textContent = "";
    if (i >= 0) {
      const hash = "#parcel=" + encodeURIComponent(parcels.codes[i]);
      if (location.hash !== hash) history.replaceState(null, "", hash);
      if (!seen[i]) at("said").textContent = "该宗地被当前筛选隐藏。";
      if (move) { const b = parcels.shapes.box.subarray(4 * i, 4 * i + 4); frame(b, 5); }
    }
    drawing.draw();
  }

  function frame(b, room) {
    const size = map.getSize(), middle = [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2];
    const resolution = Math.max((b[2] - b[0]) / size.x, (b[3] - b[1]) / size.y, 0.05) * room;
    map.setView(place(middle[0], middle[1]), Math.max(0, Math.floor(4 * crs.zoom(1 / resolution)) / 4), { animate: false });
  }

  function follow() {
    const found = /^#parcel=(.*)$/.exec(location.hash);
    if (!found) return;
    let code = found[1];
    try { code = decodeURIComponent(code); } catch (error) { /* it stays as it was typed */ }
    find(code);
  }

  function find(text) {
    const wanted = text.trim();
    if (!wanted) return;
    if (numberOf.has(wanted)) { choose(numberOf.get(wanted), true); return; }
    const ends = [];
    for (let i = 0; i < parcels.codes.length && ends.length < 30; i++) if (parcels.codes[i].endsWith(wanted) || parcels.codes[i].includes(wanted)) ends.push(i);
    if (ends.length === 1) { choose(ends[0], true); return; }
    at("codes").replaceChildren(...ends.map((i) => { const option = made("option"); option.value = parcels.codes[i]; return option; }));
    at("said").textContent = ends.length ? "有 " + (ends.length === 30 ? "30 宗以上" : ends.length + " 宗") + "符合，请在输入框中选一宗。" : "没有代码为“" + wanted + "”的宗地。";
  }

  function filter() {
    let count = 0, area = 0;
    for (let i = 0; i < seen.length; i++) {
      const wanted = (chosen.town < 0 || parcels.town[i] === chosen.town) && (chosen.kind < 0 || parcels.kind[i] === chosen.kind)
        && (chosen.state < 0 || parcels.state[i] === chosen.state) && !offKinds.has(parcels.kind[i]);
      seen[i] = wanted ? 1 : 0;
      if (wanted) { count++; area += parcels.area[i]; }
    }
    at("count").textContent = "显示 " + count.toLocaleString("zh-CN") + " 宗，" + (area / 10000).toLocaleString("zh-CN", { maximumFractionDigits: 2 }) + " 公顷";
  }

  function choices(name, titles) {
    const box = at(name), all = made("option", "全部");
    all.value = "-1"; box.append(all);
    titles.forEach((title, i) => { const option = made("option", title); option.value = String(i); box.append(option); });
    box.addEventListener("change", () => { chosen[name] = Number(box.value); filter(); drawing.draw(); });
  }

  function toggle(title, style, on, act) {
    const label = made("label"), box = made("input"), swatch = made("span", undefined, "swatch");
    box.type = "checkbox"; box.checked = on;
    swatch.style.background = style.fill === "none" ? "transparent" : style.fill;
    swatch.style.borderColor = style.outline === "none" ? style.fill : style.outline;
    box.addEventListener("change", () => { act(box.checked); drawing.draw(); });
    label.append(box, swatch, made("span", title));
    at("layers").append(label);
  }

  at("title").textContent = document.title = data.title;
  at("note").textContent = data.note;
  if (data.mark) at("note").after(made("span", data.mark, "mark"));
  if (data.stale) { at("stale").textContent = data.stale; at("stale").hidden = false; }
  at("notices").textContent = data.notices;
  choices("town", data.towns); choices("kind", data.kinds.map((kind) => kind.style.title)); choices("state", data.states);
  const counts = data.kinds.map(() => 0);
  for (const kind of parcels.kind) counts[kind]++;
  data.kinds.forEach((kind, k) => toggle(kind.style.title + "（" + counts[k].toLocaleString("zh-CN") + "）", kind.style, true, (on) => { if (on) offKinds.delete(k); else offKinds.add(k); filter(); }));
  data.layers.slice().reverse().forEach((layer) => toggle(layer.style.title, layer.style, !off.has(layer.key), (on) => { if (on) off.delete(layer.key); else off.add(layer.key); }));
  at("search").addEventListener("submit", (event) => { event.preventDefault(); find(at("code").value); });
  at("code").addEventListener("input", () => { if (numberOf.has(at("code").value)) find(at("code").value); });
  map.on("click", (event) => { const [x, y] = metres(event.latlng); choose(at_place(parcels.shapes, x, y, seen), false); });
  window.addEventListener("hashchange", follow);
  window.lowland = { map, drawing, find, data, chosen, choose };
  filter();
  frame(data.box, 1.04);
  drawing.addTo(map);
  follow();
  window.lowland.ready = performance.now() - begun;
  document.documentElement.dataset.ready = "yes";
})();

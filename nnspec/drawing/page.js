"use strict";
// Horizontal positions are fixed; rows are stacked here, because frames open and close.
const model = JSON.parse(document.getElementById("data").textContent);
const drawing = document.getElementById("drawing");
const panel = document.getElementById("panel");
const search = document.getElementById("search");
const map = document.getElementById("map");
const mapSize = () => Math.min(200, drawing.clientWidth / 4);
const {box: BOX, straight: STRAIGHT} = model.sizes;
const MOST_OPEN = 45;

let net, closed, chosen, hits = [], at = -1, view = {x: 0, y: 0, scale: 1}, places = [], layer, seen;

function svg(name, attributes, parent, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
}

function html(name, parent, text, kind) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  parent.appendChild(element);
  return element;
}

const isFrame = (item) => "rows" in item;
const isClosed = (item) => closed.has(item.index);

function around(item) {
  const frames = [];
  for (let i = item.parent; i > 0; i = net.items[i].parent) frames.push(net.items[i]);
  return frames;
}

// ---- positions

function height(item) {
  if (!isFrame(item) || isClosed(item)) return BOX;
  return item.rows.reduce((sum, row, i) => sum + item.gaps[i] + rowHeight(row), 0);
}

function rowHeight(row) {
  return row.reduce((most, child) => Math.max(most, height(net.items[child])), 0);
}

function put(item, x, y) {
  const place = {x, y, width: item.width, height: height(item), rows: []};
  places[item.index] = place;
  if (!isFrame(item) || isClosed(item)) return;
  item.rows.forEach((row, i) => {
    y += item.gaps[i];
    const tall = rowHeight(row);
    place.rows.push([y, y + tall]);
    for (const child of row) {
      const inner = net.items[child];
      put(inner, x + inner.x, y + (tall - height(inner)) / 2);
    }
    y += tall;
  });
}

function path(wire) {
  let line = "", before = null, foot = 0, crossing = 0;
  for (const [frame, row, across, child, enters, up, depth] of wire.runs) {
    crossing = depth || crossing;
    const place = places[frame];
    if (!place || !place.rows.length) continue;
    const [top, bottom] = place.rows[row];
    const x = place.x + across, item = child < 0 ? null : places[child];
    let [start, end] = up ? [bottom, top] : [top, bottom];
    if (item && enters) end = up ? item.y + item.height : item.y;
    if (item && !enters) start = up ? item.y : item.y + item.height;
    if (before === null) line = `M${x},${start}`;
    else if (crossing) {
      const floor = foot + crossing, round = Math.min(8, crossing);
      line += ` V${floor - round} Q${before},${floor} ${before + round},${floor} H${x - round} Q${x},${floor} ${x},${floor - round}`;
    } else if (Math.abs(x - before) > 0.2) {
      const half = (foot + start) / 2, last = up ? Math.min(start + STRAIGHT, half) : Math.max(start - STRAIGHT, half), middle = (foot + last) / 2;
      line += ` V${foot} C${before},${middle} ${x},${middle} ${x},${last}`;
    }
    before = x;
    foot = end;
    crossing = 0;
  }
  return before === null ? "" : `${line} V${foot}`;
}

// ---- drawing

function draw() {
  const focused = document.activeElement?.dataset?.item;
  places = [];
  put(net.items[0], 0, 0);
  drawing.replaceChildren();
  const tips = svg("defs", {}, drawing);
  for (const kind of ["tip", "tip-lit"]) {
    const size = {viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto"};
    svg("path", {class: kind, d: "M0,0 L8,4 L0,8 z"}, svg("marker", {id: kind, ...size}, tips));
  }
  layer = svg("g", {}, drawing);
  const shown = net.items.filter((item) => item.index && places[item.index]);
  for (const item of shown) if (isFrame(item) && !isClosed(item)) svg("rect", {class: "frame", rx: 8, ...rect(item)}, layer);
  for (const wire of net.wires) {
    const d = path(wire);
    const inside = around(net.items[wire.from]).find(isClosed);
    if (!d || (inside && around(net.items[wire.to]).includes(inside))) continue;
    const lit = chosen && (wire.from === chosen.index || wire.to === chosen.index);
    svg("path", {class: lit ? "wire lit" : "wire", d, "marker-end": lit ? "url(#tip-lit)" : "url(#tip)"}, layer);
  }
  for (const item of shown) isFrame(item) ? drawTitle(item) : drawBox(item);
  drawMap();
  look();
  if (focused !== undefined) drawing.querySelector(`[data-item="${Number(focused)}"]`)?.focus({preventScroll: true});
}

function rect(item) {
  const {x, y, width, height} = places[item.index];
  return {x, y, width, height};
}

function drawTitle(item) {
  const {x, y, width} = places[item.index], shut = isClosed(item);
  const found = shut ? hits.filter((hit) => around(hit).includes(item)).length : 0;
  const kind = "title" + (shut ? " closed" : "") + (found || hits.includes(item) ? " hit" : "");
  const group = svg("g", {class: kind, tabindex: 0, role: "button", "aria-expanded": !shut, "data-item": item.index}, layer);
  if (shut) svg("rect", {rx: 8, ...rect(item)}, group);
  else svg("rect", {x, y, width: Math.min(width, 12 * item.label.length + 30), height: 20}, group);
  svg("text", {x: x + 10, y: y + (shut ? 18 : 15)}, group, (shut ? "▸ " : "▾ ") + item.label);
  if (shut) svg("text", {x: x + 10, y: y + 34, class: "name"}, group, found ? `${found} found inside` : item.summary);
  svg("title", {}, group, `${item.id}: ${item.summary}`);
  act(group, () => { toggle(item); });
}

function drawBox(item) {
  const {x, y, width} = places[item.index];
  const marks = (item === chosen ? " chosen" : "") + (hits.includes(item) ? " hit" : "");
  const group = svg("g", {class: `box ${item.kind}${marks}`, tabindex: 0, role: "button", "aria-label": item.id, "data-item": item.index}, layer);
  svg("rect", {rx: item.facts ? 5 : 20, ...rect(item)}, group);
  const [op, shape, name, count] = item.lines;
  svg("text", {class: "op", x: x + 10, y: y + 18}, group, op);
  svg("text", {x: x + width - 10, y: y + 18, "text-anchor": "end"}, group, shape);
  svg("text", {class: "name", x: x + 10, y: y + 34}, group, name);
  svg("text", {x: x + width - 10, y: y + 34, "text-anchor": "end"}, group, count);
  svg("title", {}, group, item.id);
  act(group, () => choose(item));
}

function act(element, what) {
  element.addEventListener("click", () => { if (!moved) what(); });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); what(); }
  });
}

function toggle(item) {
  const before = places[item.index];
  isClosed(item) ? closed.delete(item.index) : closed.add(item.index);
  draw();
  view.y += (before.y - places[item.index].y) * view.scale;
  look();
}

// ---- pan and zoom

function look() {
  layer.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  const {clientWidth: width, clientHeight: height} = drawing, {x, y, scale} = view, whole = bounds();
  // A map is of use only if a part of the drawing is outside.
  map.toggleAttribute("hidden", whole.width * scale <= width && whole.height * scale <= height);
  for (const [key, value] of Object.entries({x: -x / scale, y: -y / scale, width: width / scale, height: height / scale})) seen.setAttribute(key, value);
}

function bounds() {
  const boxes = places.slice(1).filter(Boolean);
  const left = Math.min(...boxes.map((p) => p.x)), right = Math.max(...boxes.map((p) => p.x + p.width));
  return {left, width: right - left, height: places[0].height};
}

// ---- the map: all boxes, and the part in view

function drawMap() {
  const {left, width, height} = bounds(), scale = mapSize() / Math.max(width, height);
  const size = {viewBox: `${left} 0 ${width} ${height}`, width: Math.max(24, width * scale), height: Math.max(24, height * scale)};
  for (const [key, value] of Object.entries(size)) map.setAttribute(key, value);
  map.replaceChildren();
  for (const item of net.items) {
    if (!item.index || !places[item.index] || (isFrame(item) && !isClosed(item))) continue;
    svg("rect", {class: hits.some((hit) => hit === item || around(hit).includes(item)) ? "found" : "", ...rect(item)}, map);
  }
  seen = svg("rect", {class: "view"}, map);
}

function goTo(event) {
  const {left, width, height} = bounds(), box = map.getBoundingClientRect();
  const scale = Math.min(box.width / width, box.height / height);
  const x = left + width / 2 + (event.clientX - box.x - box.width / 2) / scale;
  const y = height / 2 + (event.clientY - box.y - box.height / 2) / scale;
  view.x = drawing.clientWidth / 2 - x * view.scale;
  view.y = drawing.clientHeight / 2 - y * view.scale;
  look();
}
map.addEventListener("pointerdown", (event) => { map.setPointerCapture(event.pointerId); goTo(event); });
map.addEventListener("pointermove", (event) => { if (event.buttons) goTo(event); });

function zoom(factor, x = drawing.clientWidth / 2, y = drawing.clientHeight / 2) {
  const scale = Math.min(4, Math.max(0.05, view.scale * factor));
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  look();
}

function fit(smallest = 0.05) {
  const {left, width: wide, height: tall} = bounds(), right = left + wide, margin = 24;
  const scale = Math.min(1.1, (drawing.clientWidth - 2 * margin) / wide, (drawing.clientHeight - 2 * margin) / tall);
  view.scale = Math.max(scale, Math.min(smallest, (drawing.clientWidth - 2 * margin) / wide));
  view.x = (drawing.clientWidth - (left + right) * view.scale) / 2;
  view.y = Math.max(margin, (drawing.clientHeight - tall * view.scale) / 2);
  look();
}

function show(item) {
  const {x, y, width, height} = places[item.index];
  view.scale = Math.max(view.scale, 0.7);
  view.x = drawing.clientWidth / 2 - (x + width / 2) * view.scale;
  view.y = drawing.clientHeight / 2 - (y + height / 2) * view.scale;
  look();
}

// What has the focus of the keyboard is moved into view.
drawing.addEventListener("focusin", (event) => {
  const item = net.items[event.target.dataset.item];
  if (!item || !event.target.matches(":focus-visible")) return;
  const {x, y, width, height} = places[item.index], {scale} = view;
  const isIn = (from, to, most) => from >= 0 && to <= most;
  if (!isIn(view.x + x * scale, view.x + (x + width) * scale, drawing.clientWidth) || !isIn(view.y + y * scale, view.y + (y + height) * scale, drawing.clientHeight)) show(item);
});

let moved = false, held = null;
drawing.addEventListener("pointerdown", (event) => { held = {x: event.clientX, y: event.clientY}; moved = false; });
window.addEventListener("pointermove", (event) => {
  if (!held) return;
  const dx = event.clientX - held.x, dy = event.clientY - held.y;
  if (!moved && Math.hypot(dx, dy) < 4) return;
  moved = true;
  drawing.classList.add("moving");
  view.x += dx;
  view.y += dy;
  held = {x: event.clientX, y: event.clientY};
  look();
});
window.addEventListener("pointerup", () => { held = null; drawing.classList.remove("moving"); });
drawing.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) return zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  view.x -= event.deltaX;
  view.y -= event.deltaY;
  look();
}, {passive: false});

// ---- the panel

function rows(title, pairs) {
  if (title) html("h3", panel, title);
  const table = html("table", panel);
  for (const [key, value, kind] of pairs) {
    const row = html("tr", table, undefined, kind);
    html("td", row, key);
    const cell = html("td", row);
    if (typeof value === "number") link(cell, net.items[value]);
    else cell.textContent = value;
  }
}

function link(parent, item) {
  const a = html("a", parent, item.id);
  a.tabIndex = 0;
  a.setAttribute("role", "link");
  a.addEventListener("click", () => choose(item, true));
  a.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(item, true); });
}

function describe() {
  panel.replaceChildren();
  if (!chosen) {
    html("h2", panel, net.title);
    rows("", net.facts);
    html("h3", panel, "Navigation", "help");
    html("p", panel, "Click a layer for details, or a frame's title to open or close it. Drag or scroll to pan; zoom with Ctrl and scroll, or + and −. Search by several words with /; Enter goes to the next.", "help");
    return;
  }
  html("h2", panel, chosen.id);
  if (chosen.doc) html("p", panel, chosen.doc);
  if (chosen.facts) rows("", chosen.facts);
  else rows("", [["shape", chosen.lines[1]], ["dtype", chosen.lines[3]]]);
  if (chosen.source) {
    html("h3", panel, chosen.place);
    const pre = html("pre", panel);
    pre.tabIndex = 0;
    for (const [number, text, here] of chosen.source) html("span", pre, `${String(number).padStart(4)}  ${text}\n`, here ? "here" : "");
  }
  if (chosen.arguments && chosen.arguments.length)
    rows("Arguments (defaults in italics)", chosen.arguments.map(([name, value, given]) => [name, value, given ? "" : "default"]));
  if (chosen.weights && chosen.weights.length) rows("Weights", chosen.weights);
  const reads = net.wires.filter((w) => w.to === chosen.index), read = net.wires.filter((w) => w.from === chosen.index);
  if (reads.length) rows("Inputs", reads.map((w) => [w.port, w.from]));
  if (read.length) rows("Read by", read.map((w) => [w.output, w.to]));
}

function choose(item, go = false) {
  chosen = item;
  for (const frame of item ? around(item) : []) closed.delete(frame.index);
  draw();
  describe();
  if (item && go) show(item);
  remember();
}

function remember() {
  const parts = new URLSearchParams();
  if (model.networks.length > 1) parts.set("network", net.name);
  if (chosen) parts.set("layer", chosen.id);
  try { history.replaceState(null, "", "#" + parts); } catch { /* Some viewers have no URL to change. */ }
}

// ---- search, frames, start

// All words must occur, in any order. Hits in closed frames are counted there, and opened one by one.
function find(go) {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const text = (item) => [item.id, ...(item.lines || [])].join(" ").toLowerCase();
  hits = words.length ? net.items.filter((item) => item.index && item.lines && words.every((word) => text(item).includes(word))) : [];
  const found = document.getElementById("found"), hidden = (item) => around(item).findLast(isClosed);
  at = go && hits.length ? (at + go + hits.length) % hits.length : -1;
  if (at >= 0) {
    found.textContent = `${at + 1} of ${hits.length}`;
    return choose(hits[at], true);
  }
  const inside = hits.filter(hidden).length;
  found.textContent = words.length ? `${hits.length} found` + (inside ? `, ${inside} in closed blocks` : "") : "";
  draw();
  if (hits.length) show(hidden(hits[0]) || hits[0]);
}

search.addEventListener("input", () => find(0));
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") find(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") { search.value = ""; find(0); }
});
document.addEventListener("keydown", (event) => {
  if (event.target === search) return;
  if (event.key === "/") { event.preventDefault(); search.focus(); }
  else if (event.key === "Escape") choose(null);
  else if (event.key === "+") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
});

const openAll = () => { closed.clear(); draw(); fit(0.85); };
const closeAll = () => { net.items.forEach((item) => { if (item.index && isFrame(item)) closed.add(item.index); }); draw(); fit(0.85); };
document.getElementById("open").addEventListener("click", openAll);
document.getElementById("close").addEventListener("click", closeAll);
document.getElementById("in").addEventListener("click", () => zoom(1.25));
document.getElementById("out").addEventListener("click", () => zoom(0.8));
document.getElementById("fit").addEventListener("click", () => fit());
document.getElementById("network").addEventListener("change", (event) => { begin(model.networks[event.target.selectedIndex]); find(0); });

function begin(network) {
  net = network;
  net.items.forEach((item, index) => { item.index = index; });
  closed = new Set();
  chosen = null;
  hits = [];
  // Close frames from the inside out until the drawing is readable.
  const depth = (item) => around(item).length;
  const frames = net.items.filter((item) => item.index && isFrame(item));
  const shown = () => net.items.filter((item) => item.index && !around(item).some(isClosed)).length;
  for (let d = Math.max(0, ...frames.map(depth)); d >= 0 && shown() > MOST_OPEN; d--)
    for (const frame of frames) if (depth(frame) === d) closed.add(frame.index);
  draw();
  describe();
  fit(0.85);
}

document.getElementById("name").textContent = model.name;
const choice = document.getElementById("network");
for (const network of model.networks) html("option", choice, network.title);
choice.hidden = model.networks.length < 2;

function followAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const number = Math.max(0, model.networks.findIndex((n) => n.name === (wanted.get("network") || "main")));
  choice.selectedIndex = number;
  begin(model.networks[number]);
  if (wanted.get("show") === "all") openAll();
  if (wanted.get("show") === "none") closeAll();
  const item = net.items.find((i) => i.lines && i.id === wanted.get("layer"));
  if (item) choose(item, true);
  if (wanted.get("search")) { search.value = wanted.get("search"); find(0); }
}
window.addEventListener("resize", look);
window.addEventListener("beforeprint", () => {
  const {left, width, height} = bounds();
  drawing.setAttribute("viewBox", `${left - 4} -4 ${width + 8} ${height + 8}`);
  layer.removeAttribute("transform");
});
window.addEventListener("afterprint", () => { drawing.removeAttribute("viewBox"); look(); });
window.addEventListener("hashchange", followAddress);
followAddress();

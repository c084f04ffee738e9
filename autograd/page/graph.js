'use strict';
// The picture: which nodes are boxes of their own, where they stand (dagre), and the SVG. A tape of more nodes
// than kWhole is folded: a tree of groups of kBranch, of which only those around the node looked at are open. A value
// with more than kHub readers is drawn again beside each of them.
const kWhole = 120, kBranch = 32, kHub = 12;

const kSvg = 'http://www.w3.org/2000/svg';

function svg(name, attributes, text) {
  const element = document.createElementNS(kSvg, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const shapeText = (shape) => '[' + shape.join(', ') + ']';

/// The boxes while node `focus` is looked at: [first, end) ranges in order, of one node or of a group.
function boxesAround(count, focus) {
  if (count <= kWhole) return Array.from({length: count}, (_, i) => [i, i + 1]);
  let size = 1;
  while (size * kBranch < count) size *= kBranch;
  const boxes = [];
  const open = (begin, end, step) => {
    for (let i = begin; i < end; i += step) {
      const stop = Math.min(i + step, end);
      if (step > 1 && i <= focus && focus < stop) open(i, stop, step / kBranch);
      else boxes.push([i, stop]);
    }
  };
  open(0, count, size);
  return boxes;
}

/// "12 mul, 7 add, …": the operations of a group, the most frequent first.
function operationsOf(nodes, [begin, end]) {
  const counts = new Map();
  for (let i = begin; i < end; ++i) counts.set(nodes[i].op, (counts.get(nodes[i].op) || 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return sorted.slice(0, 2).map(([op, n]) => n + ' ' + op).join(', ') + (sorted.length > 2 ? ', …' : '');
}

const shorten = (text, most) => text.length > most ? text.slice(0, most - 1) + '…' : text;

class Graph {
  constructor(tape, place, choose) {
    Object.assign(this, {tape, place, choose, zoom: 1, key: '', nodes: new Map(), edges: []});
    this.readers = new Map();
    tape.nodes.forEach((node) => {
      for (const {of} of node.operands) this.readers.set(of, (this.readers.get(of) || 0) + 1);
    });
  }

  /// Whether each reader of a value has a box of it for itself. On a folded tape leaves do: edges across the whole
  /// picture would show nothing, and take long to lay out.
  isHub(of) {
    return this.readers.get(of) > kHub || (typeof of !== 'number' || of < 0) && this.tape.nodes.length > kWhole;
  }

  /// The name of the box that node `reader` reads `of` from: a node (>= 0), leaf ~of, or constant 'c0', 'c1', ….
  boxOf(of, reader) {
    if (reader !== undefined && this.isHub(of)) return 'hub ' + of + ' of ' + reader;
    return of >= 0 ? this.owner[of] : 'source ' + of;
  }

  layout(boxes) {
    const {nodes} = this.tape;
    const graph = new dagre.graphlib.Graph({multigraph: true});
    graph.setGraph({rankdir: 'TB', nodesep: 16, ranksep: 34, marginx: 16, marginy: 16});
    graph.setDefaultEdgeLabel(() => ({}));
    const add = (name, title, shape, kind, target) => {
      const width = Math.max(title.length * 7.6, shape.length * 6.4, 40) + 26;
      graph.setNode(name, {width, height: 44, title, shape, kind, target});
    };
    this.owner = new Array(nodes.length);
    for (const box of boxes) {
      const [begin, end] = box, alone = end === begin + 1, node = nodes[begin];
      for (let i = begin; i < end; ++i) this.owner[i] = 'box' + begin;
      if (alone) add('box' + begin, titleOf(begin), shapeText(node.shape), 'operation', begin);
      else add('box' + begin, 'nodes ' + begin + ' – ' + (end - 1), operationsOf(nodes, box), 'group', begin);
    }
    for (const [begin, end] of boxes) {
      if (end > begin + 1) continue;
      for (const {of} of nodes[begin].operands) {
        if (of >= 0 && !this.isHub(of)) continue;
        const kind = of >= 0 ? 'hub' : of < 0 ? 'leaf' : 'constant';
        add(this.boxOf(of, begin), titleOf(of), shapeText(sourceOf(of).shape), kind, of);
      }
    }
    nodes.forEach((node, i) => {
      node.operands.forEach(({of}, k) => {
        const from = this.boxOf(of, i), to = this.owner[i];
        if (from === to || !graph.hasNode(from)) return;
        const letter = to === 'box' + i ? lettersOf(node)[k] : '';
        // One arrow for each use; between groups one for all.
        graph.setEdge(from, to, {width: letter ? 12 : 0, height: letter ? 12 : 0, labelpos: 'c', letter}, to === 'box' + i ? i + '.' + k : '');
      });
    });
    dagre.layout(graph);
    return graph;
  }

  draw(graph) {
    const {width, height} = graph.graph();
    this.size = [width, height];
    const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'group'});
    this.nodes.clear();
    this.edges = graph.edges().map((edge) => {
      const {points, letter, x, y} = graph.edge(edge);
      const line = svg('path', {class: 'edge', d: this.curve(points)}), tip = svg('path', {class: 'tip'});
      picture.append(line, tip);
      if (letter) picture.append(svg('text', {class: 'letter', x, y: y + 4}, letter));
      return {from: edge.v, to: edge.w, points, line, tip};
    });
    for (const name of graph.nodes()) {
      const node = graph.node(name);
      const {x, y, width: w, height: h, title, shape, kind, target} = node;
      const box = svg('g', {class: 'node ' + kind, tabindex: 0, role: 'button', 'aria-label': title + ' ' + shape});
      box.append(svg('rect', {x: x - w / 2, y: y - h / 2, width: w, height: h, rx: 7}),
                 svg('text', {x, y: y - 3}, title), svg('text', {x, y: y + 14, class: 'shape'}, shape));
      box.addEventListener('click', () => this.choose(target));
      box.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        event.stopPropagation();
        this.choose(target);
      });
      picture.append(box);
      this.nodes.set(name, {...node, box});
    }
    for (const {kind, target, box} of this.nodes.values()) {
      const made = kind === 'group' ? {} : marksOf(target);
      for (const mark of ['bad', 'culprit', 'lossy', 'unreached']) box.classList.toggle(mark, Boolean(made[mark]));
    }
    this.picture = picture;
    this.place.replaceChildren(picture);
    this.scale(1);
  }

  curve(points) {
    let path = `M${points[0].x},${points[0].y}`;
    for (let i = 1; i + 1 < points.length; ++i) {
      const x = (points[i].x + points[i + 1].x) / 2, y = (points[i].y + points[i + 1].y) / 2;
      path += `Q${points[i].x},${points[i].y} ${x},${y}`;
    }
    const end = points[points.length - 1];
    return path + `L${end.x},${end.y}`;
  }

  /// The arrow's head, at the end that the numbers flow to.
  head(points, backward) {
    const end = backward ? points[0] : points[points.length - 1];
    const before = backward ? points[1] : points[points.length - 2];
    const length = Math.hypot(end.x - before.x, end.y - before.y) || 1;
    const dx = (end.x - before.x) / length, dy = (end.y - before.y) / length;
    const at = (along, aside) => `${end.x - along * dx - aside * dy},${end.y - along * dy + aside * dx}`;
    return `M${at(0, 0)}L${at(9, 4)}L${at(9, -4)}Z`;
  }

  scale(factor) {
    this.zoom = Math.min(4, Math.max(0.2, this.zoom * factor));
    this.picture.setAttribute('width', this.size[0] * this.zoom);
    this.picture.setAttribute('height', this.size[1] * this.zoom);
  }

  /// Shows the tape at a node; `done(i)` tells whether node i was reached, `matches(i)` whether it is looked for.
  show(focus, backward, done, matches) {
    const boxes = boxesAround(this.tape.nodes.length, focus);
    const key = boxes.join(' ');
    if (key !== this.key) this.draw(this.layout(boxes));
    this.key = key;
    for (const {box, kind, target} of this.nodes.values()) {
      box.classList.toggle('current', kind === 'operation' && target === focus);
      box.classList.toggle('ahead', (kind === 'operation' || kind === 'group') && !done(target));
      box.classList.toggle('match', kind === 'operation' && matches(target));
      box.classList.remove('shown');
    }
    const current = this.boxOf(focus);
    for (const edge of this.edges) {
      const active = edge.to === current;
      edge.line.classList.toggle('active', active);
      edge.tip.classList.toggle('active', active);
      edge.tip.setAttribute('d', this.head(edge.points, backward));
    }
    this.centre(current);
  }

  mark(target) {
    for (const node of this.nodes.values()) node.box.classList.toggle('shown', node.target === target);
  }

  centre(name) {
    const {x, y} = this.nodes.get(name);
    const place = this.place, zoom = this.zoom;
    const left = Math.max(0, (place.clientWidth - this.size[0] * zoom) / 2);
    const top = Math.max(0, (place.clientHeight - this.size[1] * zoom) / 2);
    place.scrollTo(left + x * zoom - place.clientWidth / 2, top + y * zoom - place.clientHeight / 2);
  }
}

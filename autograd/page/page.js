// The page around the picture: the steps, the panel beside it, keys and search. Everything that comes from the tape
// is put in as text, never as HTML.
const tape = JSON.parse(document.getElementById('tape').textContent);
const byId = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const plural = (count, noun) => count.toLocaleString('en') + ' ' + noun + (count === 1 ? '' : 's');

// ---- The steps: every node on the way there, and on the way back those that a gradient has reached (all of them
// where the tape was not watched, or not rewound).
const count = tape.nodes.length;
const reached = tape.nodes.map((node) => node.gradient !== null);
const rewound = reached.includes(true);
const steps = tape.nodes.map((_, i) => ({node: i, backward: false}));
for (let i = count; i-- > 0;) {
  if (!rewound || reached[i]) steps.push({node: i, backward: true});
}

/// What an operand names: a node (>= 0), leaf ~of, or constant 'c0', 'c1', ….
const sourceOf = (of) => of >= 0 ? tape.nodes[of] : of < 0 ? tape.leaves[~of] : tape.constants[+of.slice(1)];

function titleOf(of) {
  const source = sourceOf(of);
  if (of >= 0) return of + '  ' + shorten(source.op, 40) + (source.name ? '  ' + source.name : '');
  if (source.name) return source.name;
  if (of < 0) return 'leaf ' + ~of;
  return source.value.count === 1 ? source.value.numbers[0][0] : 'constant ' + of.slice(1);
}

/// The uses of a value: which nodes read it, and as which of their operands.
const uses = new Map();
tape.nodes.forEach((node, reader) => node.operands.forEach((operand, place) => {
  if (!uses.has(operand.of)) uses.set(operand.of, []);
  uses.get(operand.of).push({reader, place, ...operand});
}));
const usesOf = (of) => uses.get(of) || [];
const readersOf = (of) => [...new Set(usesOf(of).map((use) => use.reader))];

/// What the library says of an operation; nothing of a user's own.
const known = (op) => Object.hasOwn(tape.operations, op) ? tape.operations[op] : null;

/// What the operands are called: as in the formula of the pullback where that has a barred letter for each.
function lettersOf(node) {
  const count = node.operands.length;
  if (count < 2) return [''];
  const barred = known(node.op) ? known(node.op).formula.normalize('NFD').match(/[A-Za-z](?=\u0304)/g) || [] : [];
  const letters = [...new Set(barred)].filter((letter) => letter !== 'y');
  return letters.length === count ? letters : Array.from({length: count}, (_, i) => String.fromCharCode(97 + i % 26));
}

// ---- Where the numbers go wrong

const isBad = (snapshot) => Boolean(snapshot && snapshot.not_finite);
/// The first value that is not finite though all that it was made of is.
const culprit = tape.nodes.findIndex((node) => isBad(node.value) && node.operands.every(({of}) => !isBad(sourceOf(of).value)));
/// The first node on the way back that makes such a gradient of a finite one.
const backCulprit = tape.nodes.findLastIndex((node) => !isBad(node.gradient) && node.operands.some(({share}) => share && isBad(share.after)));
const kLossy = 16, kGrowth = 8;
const lossOf = (of) => { const {value} = sourceOf(of); return value && value.most_ulp ? +value.most_ulp : 0; };
/// Whether a node is further from its float64 twin than what it was made of: digits go there.
const isLossy = (i) => lossOf(i) > kLossy && tape.nodes[i].operands.every(({of}) => lossOf(of) * kGrowth < lossOf(i));

function marksOf(of) {
  const source = sourceOf(of), isEntry = of >= 0;
  return {bad: isBad(source.value), culprit: isEntry && of === culprit, lossy: isEntry && isLossy(of),
          unreached: rewound && of !== undefined && typeof of === 'number' && !source.gradient};
}

// ---- The panel

const exact = (text) => Number.isFinite(+text) ? String(+(+text).toPrecision(4)) : text;

/// A table of a snapshot's numbers. `check` has for each the numeric derivative, its error bar and a verdict.
function numbersOf(snapshot, check) {
  if (snapshot.count === 0) return [element('p', {class: 'text'}, 'no elements')];
  const finite = snapshot.numbers.flat().map(Number).filter(Number.isFinite);
  const size = Math.max(...finite.map(Math.abs), Number.MIN_VALUE);
  const cell = (text, i, j) => {
    const made = element('td', {title: text}, exact(text));
    if (Number.isFinite(+text)) {
      const share = Math.round(45 * Math.abs(+text) / size);
      made.style.background = `color-mix(in srgb, var(${+text < 0 ? '--minus' : '--plus'}) ${share}%, transparent)`;
    } else {
      made.classList.add('bad');
    }
    if (snapshot.ulp) made.append(element('small', {class: +snapshot.ulp[i][j] > kLossy ? 'ulp much' : 'ulp'}, exact(snapshot.ulp[i][j]) + ' ulp'));
    const found = check && check[i] && check[i][j];
    if (found) {
      made.classList.add(found.passed ? 'right' : 'wrong');
      made.append(element('small', {title: found.verdict}, `${exact(found.numeric)} ± ${+(+found.error).toPrecision(2)}`));
    }
    return made;
  };
  const rows = snapshot.numbers.map((row, i) => element('tr', {}, ...row.map((text, j) => cell(text, i, j))));
  const table = element('div', {class: 'scroll'}, element('table', {class: 'numbers'}, ...rows));
  if (snapshot.count === 1) return [table];
  const finiteOnes = snapshot.not_finite === snapshot.count ? 'none finite' :
    `min ${snapshot.min}, max ${snapshot.max}, mean ${snapshot.mean}` + (snapshot.not_finite ? `; ${snapshot.not_finite} not finite` : '');
  const facts = finiteOnes + (snapshot.most_ulp ? `; up to ${exact(snapshot.most_ulp)} ulp from float64` : '') +
    (snapshot.whole ? '' : `; ${snapshot.numbers.flat().length} of ${plural(snapshot.count, 'element')} are shown`);
  return [table, element('p', {class: 'text'}, facts)];
}

const nameOf = (of) => `${titleOf(of)} ${shapeText(sourceOf(of).shape)}`;

function links(targets) {
  const kMost = 24;
  const list = element('ul', {class: 'links'}, ...targets.slice(0, kMost).map((target) => {
    const button = element('button', {}, nameOf(target));
    button.addEventListener('click', () => choose(target));
    return element('li', {}, button);
  }));
  if (targets.length > kMost) list.append(element('li', {}, `and ${targets.length - kMost} more`));
  return list;
}

function section(title, ...content) {
  return content.length ? [element('h3', {}, title), ...content] : [];
}

const kUnwatched = 'Not noted. Make the tape with Tape tape({.watch = true}) to see the numbers here.';

function numbersSection(title, snapshot, why, check) {
  return section(title, ...(snapshot ? numbersOf(snapshot, check) : [element('p', {class: 'text'}, tape.watched ? why : kUnwatched)]));
}

function pullbackSection(op) {
  return section('Pullback', known(op) ? element('p', {class: 'formula'}, known(op).formula)
                                       : element('p', {class: 'text'}, 'An operation of your own: its pullback is what it was recorded with.'));
}

const note = (text) => element('p', {class: 'note'}, text);

/// Where a value is used more than once: what each use gives to its gradient.
function summands(of) {
  const given = usesOf(of).filter(({share}) => share);
  if (given.length < 2) return [];
  const kMost = 6;
  return section('It is the sum of', ...given.slice(0, kMost).flatMap(({reader, share}) =>
    [element('p', {class: 'facts'}, 'from ' + nameOf(reader)), ...numbersOf(share.after)]),
    ...(given.length > kMost ? [element('p', {class: 'text'}, `and ${given.length - kMost} more`)] : []));
}

/// What a node gives to each operand: what its pullback returns, and the sum of it over what was stretched.
function shares(node) {
  const letters = lettersOf(node);
  return node.operands.flatMap(({of, share}, i) => {
    if (!share) return [];
    const title = `${letters[i] || 'x'}\u0304, to ${nameOf(of)}`;
    const heading = element('h3', {class: 'symbols'}, title);
    if (!share.before) return [heading, ...numbersOf(share.after)];
    return [heading, ...numbersOf(share.before),
      element('p', {class: 'facts'}, `summed from ${shapeText(share.shape)} to ${shapeText(sourceOf(of).shape)}, where it was stretched`),
      ...numbersOf(share.after)];
  });
}

let hidden = false;  // what is to be predicted

/// The gradient and what comes of it, or a button in its place while it is to be predicted.
function gradientSection(number) {
  const node = tape.nodes[number];
  if (hidden) {
    const button = element('button', {id: 'reveal'}, 'Show (Space)');
    button.addEventListener('click', reveal);
    return section('Gradient', element('p', {class: 'text'}, 'What is it? Say it, then look. '), button);
  }
  return [...numbersSection('Gradient', node.gradient, rewound ? 'No gradient reached this node.' : 'The tape was not rewound.'),
          ...(number === backCulprit ? [note('Here the first gradient is made that is not finite.')] : []),
          ...summands(number), ...shares(node)];
}

function reveal() {
  hidden = false;
  const {node, backward} = steps[position];
  showNode(node, backward);
}

function showNode(number, backward) {
  const node = tape.nodes[number];
  const kept = node.freed && !tape.watched ? 'freed by a rewind'
                                            : `keeps ${plural(node.bytes, 'byte')}` + (node.freed ? ', freed by the rewind' : '');
  const value = numbersSection('Value', node.value, '');
  const marks = marksOf(number);
  const notes = [...(marks.culprit ? [note('Here the first value is made that is not finite.')] : []),
                 ...(marks.lossy ? [note('Here digits go: it is further from float64 than what it is made of.')] : []),
                 ...(marks.unreached ? [note('No gradient has reached it.')] : [])];
  byId('panel').replaceChildren(
    element('h2', {}, `${number} ${node.op}`),
    element('p', {class: 'facts'}, (node.name ? node.name + ': ' : '') + `${node.dtype} ${shapeText(node.shape)}, ${kept}`),
    ...notes,
    ...(backward ? [...pullbackSection(node.op), ...gradientSection(number), ...value] : [...value, ...pullbackSection(node.op)]),
    ...section('Reads', ...(node.operands.length ? [links(node.operands.map(({of}) => of))] : [])),
    ...section('Is read by', ...(usesOf(number).length ? [links(readersOf(number))] : [])),
    ...section('The operation', ...(known(node.op) && known(node.op).text ? [element('p', {class: 'text'}, known(node.op).text)] : [])));
}

/// A leaf, or a constant, which gets no gradient.
function showSource(of) {
  const source = sourceOf(of);
  const gradient = of < 0 && steps[position].backward ?
    [...numbersSection('Gradient', source.gradient, rewound ? 'No gradient reached this leaf.' : 'The tape was not rewound.', source.check),
     ...(source.check ? [element('p', {class: 'text'}, 'Beside each number: the numeric derivative and its error bar.')] : []),
     ...summands(of)] : [];
  byId('panel').replaceChildren(
    element('h2', {}, titleOf(of)),
    element('p', {class: 'facts'}, (of < 0 ? '' : 'constant, ') + `${source.dtype} ${shapeText(source.shape)}`),
    ...numbersSection('Value, when it was first read', source.value, ''),
    ...gradient,
    ...section('Is read by', links(readersOf(of))));
}

// ---- Where we are

let position = 0;
let following = false;  // the tape beside this one, which went first
let matching = [];
const graph = new Graph(tape, byId('graph'), choose);

function go(to) {
  if (!steps.length) return;
  position = Math.min(steps.length - 1, Math.max(0, to));
  const {node, backward} = steps[position];
  document.body.classList.toggle('backward', backward);
  const found = new Set(matching);
  const done = (i) => backward ? i >= node : i <= node;
  graph.show(node, backward, done, (i) => found.has(i));
  hidden = backward && byId('predict').checked && Boolean(tape.nodes[node].gradient);
  showNode(node, backward);
  byId('position').value = position;
  if (!following) tell(tape.nodes[node].name, backward);
  try {
    history.replaceState(null, '', `#${backward ? 'back' : 'forward'}-${node}`);
  } catch {
    // a frame without an address
  }
  byId('step').textContent = `${backward ? 'backward' : 'forward'}: ` +
    (backward ? `${position - count + 1} of ${steps.length - count}` : `${position + 1} of ${count}`);
  byId('first').disabled = byId('back').disabled = position === 0;
  byId('next').disabled = byId('last').disabled = position === steps.length - 1;
}

/// The step of a node on the way that we are on, or on the other one.
function stepOf(node, backward) {
  const there = steps.findIndex((step) => step.node === node && step.backward === backward);
  return there >= 0 ? there : node;
}

function choose(target) {
  if (target >= 0) return go(stepOf(target, steps[position].backward));
  showSource(target);
  graph.mark(target);
}

// ---- Search

function search() {
  const words = byId('search').value.trim().toLowerCase();
  matching = words === '' ? [] : tape.nodes.flatMap((node, i) =>
    String(i) === words || (node.name || '').toLowerCase().includes(words) || node.op.toLowerCase().includes(words) || shapeText(node.shape).includes(words) ? [i] : []);
  byId('matches').textContent = words === '' ? '' : plural(matching.length, 'match').replace('matchs', 'matches');
  go(position);
}

function goToMatch(direction) {
  if (!matching.length) return;
  const {node, backward} = steps[position];
  const ordered = direction > 0 ? matching : [...matching].reverse();
  const next = ordered.find((i) => direction > 0 ? i > node : i < node);
  go(stepOf(next === undefined ? ordered[0] : next, backward));
}

// ---- Keys and buttons

const commands = {
  ArrowRight: () => go(position + 1), ArrowLeft: () => go(position - 1), Home: () => go(0), End: () => go(steps.length - 1),
  b: () => go(stepOf(steps[position].node, !steps[position].backward)), '/': () => byId('search').focus(),
  ' ': () => hidden && reveal(), p: () => byId('predict').click(),
  Enter: () => goToMatch(1), '+': () => zoom(1.25), '=': () => zoom(1.25), '-': () => zoom(0.8),
};

function zoom(factor) {
  graph.scale(factor);
  graph.centre(graph.boxOf(steps[position].node));
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === byId('search')) {
    if (event.key === 'Enter') goToMatch(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (event.target instanceof HTMLButtonElement && (event.key === 'Enter' || event.key === ' ')) return;
  const command = commands[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!command || !steps.length) return;
  event.preventDefault();
  command();
});
byId('first').addEventListener('click', commands.Home);
byId('back').addEventListener('click', commands.ArrowLeft);
byId('next').addEventListener('click', commands.ArrowRight);
byId('last').addEventListener('click', commands.End);
byId('search').addEventListener('input', search);
byId('position').addEventListener('input', (event) => go(+event.target.value));

byId('predict').addEventListener('change', () => go(position));

/// The step that an address names: page.html#back-4 is node 4 on the way back.
function goToAddress() {
  const named = /^#(forward|back)-(\d+)$/.exec(location.hash);
  go(named && named[2] < count ? stepOf(+named[2], named[1] === 'back') : 0);
}
addEventListener('hashchange', goToAddress);

/// Tapes side by side: each goes to the node of the name that another has gone to.
function tell(name, backward) {
  if (!name || parent === window) return;
  for (let i = 0; i < parent.length; ++i) {
    if (parent[i] !== window) parent[i].postMessage({name, backward}, '*');
  }
}
addEventListener('message', ({data}) => {
  const node = tape.nodes.findIndex(({name}) => name && name === data.name);
  if (node < 0) return;
  following = true;
  go(stepOf(node, Boolean(data.backward)));
  following = false;
});

if (tape.title) {
  document.title = tape.title;
  document.querySelector('h1').textContent = tape.title;
}
byId('position').max = Math.max(0, steps.length - 1);
byId('summary').textContent = `${plural(count, 'node')}, ${plural(tape.leaves.length, 'leaf').replace('leafs', 'leaves')}, ` +
  `${plural(tape.bytes, 'byte')} kept` + (rewound ? ' until the rewind' : '');
if (!count) byId('panel').append(element('p', {}, 'Nothing was recorded.'));
goToAddress();

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

// ---- The steps: every entry on the way there, and on the way back those that a gradient has reached (all of them
// where the tape was not watched, or not rewound).
const count = tape.entries.length;
const reached = tape.entries.map((entry) => entry.gradient !== null);
const rewound = reached.includes(true);
const steps = tape.entries.map((_, i) => ({entry: i, backward: false}));
for (let i = count; i-- > 0;) {
  if (!rewound || reached[i]) steps.push({entry: i, backward: true});
}

const readers = tape.entries.map(() => []);
const leafReaders = tape.leaves.map(() => []);
tape.entries.forEach((entry, i) => {
  for (const target of new Set(entry.inputs)) (target < 0 ? leafReaders[~target] : readers[target]).push(i);
});

// ---- The panel

function numbersOf(snapshot) {
  if (snapshot.count === 0) return [element('p', {class: 'text'}, 'no elements')];
  const finite = snapshot.numbers.flat().map(Number).filter(Number.isFinite);
  const size = Math.max(...finite.map(Math.abs), Number.MIN_VALUE);
  const cell = (text) => {
    const share = Number.isFinite(+text) ? Math.round(45 * Math.abs(+text) / size) : 0;
    const made = element('td', {title: text}, Number.isFinite(+text) ? String(+(+text).toPrecision(4)) : text);
    made.style.background = `color-mix(in srgb, var(${+text < 0 ? '--minus' : '--plus'}) ${share}%, transparent)`;
    return made;
  };
  const rows = snapshot.numbers.map((row) => element('tr', {}, ...row.map(cell)));
  const table = element('div', {class: 'scroll'}, element('table', {class: 'numbers'}, ...rows));
  if (snapshot.count === 1) return [table];
  const facts = `min ${snapshot.min}, max ${snapshot.max}, mean ${snapshot.mean}` +
    (snapshot.not_finite ? `; ${snapshot.not_finite} not finite` : '') +
    (snapshot.whole ? '' : `; the first of ${plural(snapshot.count, 'element')} are shown`);
  return [table, element('p', {class: 'text'}, facts)];
}

function nameOf(target) {
  return target < 0 ? `leaf ${~target} ${shapeText(tape.leaves[~target].shape)}`
                    : `${target} ${tape.entries[target].op} ${shapeText(tape.entries[target].shape)}`;
}

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

function numbersSection(title, snapshot, why) {
  return section(title, ...(snapshot ? numbersOf(snapshot) : [element('p', {class: 'text'}, tape.watched ? why : kUnwatched)]));
}

/// What the library says of an operation; nothing of a user's own.
const known = (op) => Object.hasOwn(tape.operations, op) ? tape.operations[op] : null;

function pullbackSection(op) {
  return section('Pullback', known(op) ? element('p', {class: 'formula'}, known(op).formula)
                                       : element('p', {class: 'text'}, 'An operation of your own: its pullback is what it was recorded with.'));
}

function showEntry(number, backward) {
  const entry = tape.entries[number];
  const kept = entry.freed && !tape.watched ? 'freed by a rewind'
                                            : `keeps ${plural(entry.bytes, 'byte')}` + (entry.freed ? ', freed by the rewind' : '');
  const gradient = numbersSection('Gradient', entry.gradient, rewound ? 'No gradient reached this entry.' : 'The tape was not rewound.');
  const value = numbersSection('Value', entry.value, '');
  byId('panel').replaceChildren(
    element('h2', {}, `${number} ${entry.op}`),
    element('p', {class: 'facts'}, `${entry.dtype} ${shapeText(entry.shape)}, ${kept}`),
    ...(backward ? [...gradient, ...pullbackSection(entry.op), ...value] : [...value, ...pullbackSection(entry.op), ...gradient]),
    ...section('Reads', ...(entry.inputs.length ? [links(entry.inputs)] : [])),
    ...section('Is read by', ...(readers[number].length ? [links(readers[number])] : [])),
    ...section('The operation', ...(known(entry.op) && known(entry.op).text ? [element('p', {class: 'text'}, known(entry.op).text)] : [])));
}

function showLeaf(number) {
  const leaf = tape.leaves[number];
  byId('panel').replaceChildren(
    element('h2', {}, `leaf ${number}`),
    element('p', {class: 'facts'}, `${leaf.dtype} ${shapeText(leaf.shape)}`),
    ...numbersSection('Value, when it was first read', leaf.value, ''),
    ...numbersSection('Gradient', leaf.gradient, rewound ? 'No gradient reached this leaf.' : 'The tape was not rewound.'),
    ...section('Is read by', links(leafReaders[number])));
}

// ---- Where we are

let position = 0;
let matching = [];
const graph = new Graph(tape, byId('graph'), choose);

function go(to) {
  if (!steps.length) return;
  position = Math.min(steps.length - 1, Math.max(0, to));
  const {entry, backward} = steps[position];
  document.body.classList.toggle('backward', backward);
  const found = new Set(matching);
  const done = (i) => backward ? i >= entry : i <= entry;
  graph.show(entry, backward, done, (i) => found.has(i));
  showEntry(entry, backward);
  byId('position').value = position;
  byId('step').textContent = `${backward ? 'backward' : 'forward'}: ` +
    (backward ? `${position - count + 1} of ${steps.length - count}` : `${position + 1} of ${count}`);
  byId('first').disabled = byId('back').disabled = position === 0;
  byId('next').disabled = byId('last').disabled = position === steps.length - 1;
}

/// The step of an entry on the way that we are on, or on the other one.
function stepOf(entry, backward) {
  const there = steps.findIndex((step) => step.entry === entry && step.backward === backward);
  return there >= 0 ? there : entry;
}

function choose(target) {
  if (target >= 0) return go(stepOf(target, steps[position].backward));
  showLeaf(~target);
  graph.mark(target);
}

// ---- Search

function search() {
  const words = byId('search').value.trim().toLowerCase();
  matching = words === '' ? [] : tape.entries.flatMap((entry, i) =>
    String(i) === words || entry.op.toLowerCase().includes(words) || shapeText(entry.shape).includes(words) ? [i] : []);
  byId('matches').textContent = words === '' ? '' : plural(matching.length, 'match').replace('matchs', 'matches');
  go(position);
}

function goToMatch(direction) {
  if (!matching.length) return;
  const {entry, backward} = steps[position];
  const ordered = direction > 0 ? matching : [...matching].reverse();
  const next = ordered.find((i) => direction > 0 ? i > entry : i < entry);
  go(stepOf(next === undefined ? ordered[0] : next, backward));
}

// ---- Keys and buttons

const commands = {
  ArrowRight: () => go(position + 1), ArrowLeft: () => go(position - 1), Home: () => go(0), End: () => go(steps.length - 1),
  b: () => go(stepOf(steps[position].entry, !steps[position].backward)), '/': () => byId('search').focus(),
  Enter: () => goToMatch(1), '+': () => zoom(1.25), '=': () => zoom(1.25), '-': () => zoom(0.8),
};

function zoom(factor) {
  graph.scale(factor);
  graph.centre(graph.boxOf(steps[position].entry));
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === byId('search')) {
    if (event.key === 'Enter') goToMatch(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (event.target instanceof HTMLButtonElement && event.key === 'Enter') return;
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

byId('position').max = Math.max(0, steps.length - 1);
byId('summary').textContent = `${plural(count, 'entry').replace('entrys', 'entries')}, ${plural(tape.leaves.length, 'leaf').replace('leafs', 'leaves')}, ` +
  `${plural(tape.bytes, 'byte')} kept`;
if (!count) byId('panel').append(element('p', {}, 'Nothing was recorded.'));
go(0);

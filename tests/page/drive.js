// Examines a page as its reader would: by keys, clicks and what is to be seen. What it found stands in the element
// `verdict`.
let checks = 0;

function check(condition, what) {
  ++checks;
  if (!condition) errors.push(what);
}

function equal(found, expected, what) {
  check(found === expected, `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

const press = (key, target = document.body) => target.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
const panel = () => byId('panel').textContent;
const heading = () => byId('panel').querySelector('h2').textContent;
const where = () => byId('step').textContent;
const boxes = (kind) => [...byId('graph').querySelectorAll('.node' + kind)];
const type = (words) => { byId('search').value = words; byId('search').dispatchEvent(new Event('input')); };

/// The rows of numbers behind a heading of the panel.
function numbers(title) {
  const found = [...byId('panel').querySelectorAll('h3')].find((h3) => h3.textContent === title);
  return [...found.nextElementSibling.querySelectorAll('tr')].map((row) => [...row.cells].map((c) => c.textContent).join(' ')).join(' | ');
}

function small() {
  equal(byId('summary').textContent, '3 entries, 1 leaf, 0 bytes kept', 'summary');
  equal(boxes('').length, 4, 'boxes');
  equal(boxes('.current').length, 1, 'current boxes');
  equal(heading(), '0 matmul', 'first entry');
  equal(where(), 'forward: 1 of 3', 'first step');
  check(byId('back').disabled && !byId('next').disabled, 'no step back from the first');
  equal(numbers('Value'), '-3 | -5', 'W x');
  check(panel().includes('keeps 8 bytes, freed by the rewind'), 'bytes kept: ' + panel());
  check(panel().includes('ā = ȳ bᵀ, b̄ = aᵀ ȳ.'), 'formula of matmul: ' + panel());
  press('ArrowRight');
  equal(heading(), '1 square', 'second entry');
  equal(numbers('Value'), '9 | 25', 'squares');
  byId('next').click();
  equal(numbers('Value'), '34', 'loss');
  press('ArrowRight');
  equal(where(), 'backward: 1 of 3', 'the way back');
  equal(numbers('Gradient'), '1', 'gradient of the loss');
  press('ArrowRight');
  equal(numbers('Gradient'), '1 | 1', 'gradient of the squares');
  check(panel().includes('x̄ = 2 x ȳ.'), 'formula of square');
  press('End');
  equal(heading(), '0 matmul', 'last step');
  equal(numbers('Gradient'), '-6 | -10', 'gradient of W x');
  check(byId('next').disabled, 'no step on from the last');
  equal(boxes('.ahead').length, 0, 'boxes ahead at the end');
  boxes('.leaf')[0].dispatchEvent(new MouseEvent('click'));
  equal(heading(), 'leaf 0', 'the leaf');
  equal(numbers('Value, when it was first read'), '1 2 | 3 4', 'W');
  equal(numbers('Gradient'), '-6 12 | -10 20', '2 W x xᵀ');
  press('b');
  equal(where(), 'forward: 1 of 3', 'the other way');
  equal(boxes('.ahead').length, 2, 'boxes ahead at the start');
  press('Enter', boxes('.entry')[2]);
  equal(heading(), '2 sum', 'a box by key');
  byId('position').value = 4;
  byId('position').dispatchEvent(new Event('input'));
  equal(where(), 'backward: 2 of 3', 'slider');
  type('SQU');
  equal(byId('matches').textContent, '1 match', 'search');
  equal(boxes('.match').length, 1, 'matches shown');
  press('Home');
  press('Enter', byId('search'));
  equal(heading(), '1 square', 'the match');
  press('+');
  check(byId('graph').querySelector('svg').getAttribute('width') > graph.size[0], 'zoom');
}

function hostile() {
  equal(document.title, 'A tape of reel', 'title');
  equal(document.images.length, 0, 'images');
  equal(heading(), "0 <\/script><script>document.title = 'taken'<\/script>", 'name of the first entry');
  equal(numbers('Value'), '1 nan inf', 'numbers');
  check(panel().includes('min 1, max 1, mean 1; 2 not finite'), 'facts: ' + panel());
  check(panel().includes('An operation of your own'), 'no formula');
  press('ArrowRight');
  equal(heading(), "1 <img src=x onerror=\"document.title = 'taken'\"> & \"quoted\" \\ \ufffd", 'name of the second entry');
  press('ArrowRight');
  equal(heading(), '2 __proto__', 'name of the third entry');
  check(panel().includes('An operation of your own'), 'no formula of a prototype');
}

function unwatched() {
  check(panel().includes('Tape tape({.watch = true})'), 'the remedy: ' + panel());
  check(panel().includes('x̄ = ȳ y.'), 'formula of exp');
  equal(byId('position').max, '3', 'two entries, there and back');
}

function empty() {
  equal(panel(), 'Nothing was recorded.', 'panel');
  press('ArrowRight');
}

function large() {
  equal(byId('summary').textContent, '10,000 entries, 1 leaf, 0 bytes kept', 'summary');
  check(boxes('').length < 100, 'boxes: ' + boxes('').length);
  check(boxes('.group').length > 10, 'groups: ' + boxes('.group').length);
  press('End');
  equal(where(), 'backward: 10000 of 10000', 'last step');
  press('Home');
  for (let i = 0; i < 100; ++i) press('ArrowRight');
  equal(heading(), '100 tanh', 'a hundred steps');
  type('5000');
  equal(byId('matches').textContent, '1 match', 'search by number');
  press('Enter', byId('search'));
  equal(heading(), '5000 add', 'entry 5000');
  type('tanh');
  equal(byId('matches').textContent, '3,333 matches', 'search by name');
  press('Enter', byId('search'));
  equal(heading(), '5002 tanh', 'the next match');
  const group = boxes('.group')[0];
  group.dispatchEvent(new MouseEvent('click'));
  equal(heading(), '0 mul', 'a group opens');
}

function drive(examine) {
  try {
    examine();
  } catch (error) {
    errors.push(String(error.stack));
  }
  const verdict = errors.length ? 'FAILED\n' + errors.join('\n') : `PASSED ${checks} checks`;
  document.body.append(element('pre', {id: 'verdict'}, verdict));
}

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
const edges = () => byId('graph').querySelectorAll('.edge').length;
const letters = () => [...byId('graph').querySelectorAll('.letter')].map((text) => text.textContent).sort().join('');
const boxes = (kind) => [...byId('graph').querySelectorAll('.node' + kind)];
const type = (words) => { byId('search').value = words; byId('search').dispatchEvent(new Event('input')); };

/// The rows of numbers behind a heading of the panel.
function numbers(title) {
  const found = [...byId('panel').querySelectorAll('h3')].find((h3) => h3.textContent === title);
  return [...found.nextElementSibling.querySelectorAll('tr')].map((row) => [...row.cells].map((c) => c.textContent).join(' ')).join(' | ');
}

function small() {
  equal(byId('summary').textContent, '3 nodes, 1 leaf, 16 bytes kept until the rewind', 'summary');
  equal(document.title, 'Σ (W x)²', 'title');
  equal(byId('summary').parentElement.querySelector('h1').textContent, 'Σ (W x)²', 'heading of the page');
  equal(boxes('').length, 5, 'boxes');
  equal(boxes('.leaf')[0].querySelector('text').textContent, 'W', 'name of the leaf');
  equal(boxes('.constant')[0].querySelector('text').textContent, 'x', 'name of the constant');
  equal(letters(), 'ab', 'letters on the arrows of matmul');
  boxes('.constant')[0].dispatchEvent(new MouseEvent('click'));
  check(panel().includes('constant, float32 [2, 1]'), 'the constant: ' + panel());
  equal(numbers('Value, when it was first read'), '1 | -2', 'x');
  press('Home');
  check(!panel().includes('Gradient'), 'nothing to predict is shown on the way there');
  equal(boxes('.current').length, 1, 'current boxes');
  equal(heading(), '0 matmul', 'first node');
  equal(where(), 'forward: 1 of 3', 'first step');
  check(byId('back').disabled && !byId('next').disabled, 'no step back from the first');
  equal(numbers('Value'), '-3 | -5', 'W x');
  check(panel().includes('keeps 8 bytes, freed by the rewind'), 'bytes kept: ' + panel());
  check(panel().includes('ā = ȳ bᵀ, b̄ = aᵀ ȳ.'), 'formula of matmul: ' + panel());
  press('ArrowRight');
  equal(heading(), '1 square', 'second node');
  equal(numbers('Value'), '9 | 25', 'squares');
  byId('next').click();
  equal(numbers('Value'), '34', 'loss');
  press('ArrowRight');
  equal(where(), 'backward: 1 of 3', 'the way back');
  equal(numbers('Gradient'), '1', 'gradient of the loss');
  equal(location.hash, '#back-2', 'address');
  press('ArrowRight');
  equal(numbers('Gradient'), '1 | 1', 'gradient of the squares');
  equal(numbers('x\u0304, to 0  matmul [2, 1]'), '-6 | -10', 'what square gives');
  check(panel().includes('x̄ = 2 x ȳ.'), 'formula of square');
  press('End');
  equal(heading(), '0 matmul', 'last step');
  equal(numbers('Gradient'), '-6 | -10', 'gradient of W x');
  check(byId('next').disabled, 'no step on from the last');
  equal(boxes('.ahead').length, 0, 'boxes ahead at the end');
  boxes('.leaf')[0].dispatchEvent(new MouseEvent('click'));
  equal(heading(), 'W', 'the leaf');
  equal(numbers('Value, when it was first read'), '1 2 | 3 4', 'W');
  equal(numbers('Gradient'), '-6 12 | -10 20', '2 W x xᵀ');
  press('b');
  equal(where(), 'forward: 1 of 3', 'the other way');
  equal(boxes('.ahead').length, 2, 'boxes ahead at the start');
  location.hash = '#back-1';
  dispatchEvent(new Event('hashchange'));
  equal(where(), 'backward: 2 of 3', 'the step of an address');
  press('p');
  press('ArrowRight');
  check(byId('reveal') && !panel().includes('-6'), 'the gradient is hidden: ' + panel());
  press(' ');
  equal(numbers('Gradient'), '-6 | -10', 'the gradient is shown');
  press('p');
  press('Home');
  press('Enter', boxes('.operation')[2]);
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
  equal(heading(), "0 <\/script><script>document.title = 'taken'<\/script>", 'name of the first node');
  equal(numbers('Value'), '1 nan inf', 'numbers');
  equal(byId('panel').querySelectorAll('td.bad').length, 2, 'red cells');
  check(panel().includes('min 1, max 1, mean 1; 2 not finite'), 'facts: ' + panel());
  check(panel().includes('An operation of your own'), 'no formula');
  press('ArrowRight');
  equal(heading(), "1 <img src=x onerror=\"document.title = 'taken'\"> & \"quoted\" \\ \ufffd", 'name of the second node');
  press('ArrowRight');
  equal(heading(), '2 __proto__', 'name of the third node');
  check(panel().includes('An operation of your own'), 'no formula of a prototype');
}

function unwatched() {
  check(panel().includes('Tape tape({.watch = true})'), 'the remedy: ' + panel());
  check(panel().includes('x̄ = ȳ y.'), 'formula of exp');
  equal(byId('position').max, '3', 'two nodes, there and back');
}

/// b = a + a, c = b + b.
function fan() {
  equal(edges(), 4, 'an arrow for each use');
  equal(letters(), 'aabb', 'and its letter');
  press('End');
  equal(numbers('Gradient'), '2', 'gradient of b');
  check(panel().includes('It is the sum of'), 'summands: ' + panel());
  equal([...byId('panel').querySelectorAll('p')].filter((p) => p.textContent === 'from 1  add []').length, 2, 'both from c');
  boxes('.leaf')[0].dispatchEvent(new MouseEvent('click'));
  equal(numbers('Gradient'), '4', 'dc/da');
}

/// x + b, with b stretched to three rows, of which a value was recorded that no gradient reaches.
function stretched() {
  equal(boxes('.unreached').length, 1, 'unreached nodes');
  press('End');
  const text = panel();
  check(text.includes('summed from [3, 2] to [2], where it was stretched'), 'the sum: ' + text);
  equal(numbers('b\u0304, to b [2]'), '1 2 | 1 2 | 1 2', 'before the sum');
}

/// Σ w², of which the second summand's gradient is lost.
function checked() {
  press('End');
  boxes('.leaf')[0].dispatchEvent(new MouseEvent('click'));
  const cells = [...byId('panel').querySelectorAll('td')].filter((cell) => cell.querySelector('small'));
  equal(cells.map((cell) => cell.className).join(), 'right,wrong', 'verdicts by colour');
  equal(cells.map((cell) => cell.querySelector('small').title).join(), 'match,wrong', 'verdicts in words');
  equal(cells.map((cell) => cell.firstChild.textContent).join(), '3,0', 'analytic');
  equal(cells.map((cell) => Math.round(parseFloat(cell.querySelector('small').textContent))).join(), '3,-4', 'numeric');
  check(cells.every((cell) => cell.textContent.includes(' ± ')), 'error bars: ' + panel());
  check(panel().includes('the numeric derivative and its error bar'), 'what stands there: ' + panel());
}

/// softmax of [98, 99, 100] by its definition, beside its twin in float64.
function naive() {
  equal(boxes('.culprit').length, 1, 'first culprits');
  press('Home');
  equal(heading(), '0 exp', 'exp');
  check(panel().includes('Here the first value is made that is not finite.'), 'culprit: ' + panel());
  check(panel().includes('none finite') && !panel().includes('min'), 'facts: ' + panel());
  equal(byId('panel').querySelectorAll('td.bad').length, 3, 'red cells');
  check(panel().includes('inf ulp'), 'against float64: ' + panel());
}

/// x² − y² in float32 where both are near 10⁴, beside its twin: the difference loses the digits.
function lossy() {
  equal(boxes('.lossy').length, 1, 'where the digits go');
  equal(boxes('.lossy')[0].querySelector('text').textContent, '2  sub  difference', 'which');
  boxes('.lossy')[0].dispatchEvent(new MouseEvent('click'));
  check(panel().includes('Here digits go'), 'note: ' + panel());
}

function hub() {
  equal(boxes('.leaf').length, 13, 'a box of the leaf for each reader');
}

function pair() {
  const titles = [...document.querySelectorAll('iframe')].map((frame) => frame.contentDocument.querySelector('h1').textContent);
  equal(titles.join(' | '), 'naive | stable', 'titles');
  equal(frames[0].document.querySelectorAll('.culprit').length, 1, 'the naive one breaks');
  equal(frames[1].document.querySelectorAll('.bad').length, 0, 'the stable one does not');
}

/// Whether what is read can be read: the contrast of text and ground, as WCAG 2.1 defines it.
function legible() {
  const rgb = (text) => text.match(/[\d.]+/g).map((c) => c * (text.startsWith('color(') ? 255 : 1));
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  const above = (text, ground, what) => check(contrast(text, ground) >= 4.5, `contrast of ${what}: ${contrast(text, ground).toFixed(2)}`);
  const raised = style('#panel').backgroundColor;
  above(style('body').color, style('body').backgroundColor, 'text');
  above(style('#panel .facts').color, raised, 'facts');
  above(style('#panel .formula').color, style('#panel .formula').backgroundColor, 'formula');
  above(style('.node text').fill, style('.node rect').fill, 'a box');
  above(style('.note').color, raised, 'a note');
  above(style('td.bad').color, style('td.bad').backgroundColor, 'a cell that is not finite');
}

/// The page of `naive` in light or dark, 1400 or 400 pixels wide.
function seen(dark, narrow) {
  equal(matchMedia('(prefers-color-scheme: dark)').matches, dark, 'dark');
  equal(innerWidth <= 640, narrow, 'narrow');
  equal(getComputedStyle(document.querySelector('footer')).display === 'none', narrow, 'no help with keys');
  const share = byId('graph').clientHeight / innerHeight;
  check(share > 0.35, 'the picture has room: ' + share);
  check(document.documentElement.scrollWidth <= innerWidth, 'nothing sticks out: ' + document.documentElement.scrollWidth);
  legible();
}
const light_wide = () => seen(false, false), dark_wide = () => seen(true, false);
const light_narrow = () => seen(false, true), dark_narrow = () => seen(true, true);

function empty() {
  equal(panel(), 'Nothing was recorded.', 'panel');
  press('ArrowRight');
}

function large() {
  equal(byId('summary').textContent, '10,000 nodes, 1 leaf, 106,672 bytes kept until the rewind', 'summary');
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
  equal(heading(), '5000 add', 'node 5000');
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
  const verdict = document.createElement('pre');
  verdict.id = 'verdict';
  verdict.textContent = errors.length ? 'FAILED\n' + errors.join('\n') : `PASSED ${checks} checks`;
  document.body.append(verdict);
}

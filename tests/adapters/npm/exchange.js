// Exchanges messages both ways with the npm package iso_8583: what it packs is read by our codec, and what our codec
// packs is read by it. Usage: exchange.js MODULES LINES SPECIFICATION [SEED]: the folder that npm installed into, our
// program iso8583_lines, the data file. Exit 0: all were understood.
'use strict';
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const [modules, lines, specificationFile, seedText] = process.argv.slice(2);
const Iso8583 = require(path.join(modules, 'iso_8583'));
const specification = JSON.parse(fs.readFileSync(specificationFile, 'utf8').replace(/^\/\/.*$/gm, ''));

const MESSAGES = 2000;
const MAC = { ContentType: 'b', Label: 'MAC', LenType: 'fixed', MaxLen: 16 };
const FORMATS = { 64: MAC, 128: MAC };
const TYPES = ['0200', '0210', '0420', '0421', '0430', '0800', '0810'];
const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ALPHABETS = {
  n: DIGITS, z: DIGITS + '=', a: LETTERS, an: DIGITS + LETTERS, ans: DIGITS + LETTERS + " -!$%^&*()_+|~=`{}[]:\";'<>?,./",
  b: '0123456789abcdef',
};

let state = Number(seedText || Date.now() % 0x7fffffff) || 1;
console.log(`seed ${state}`);
function below(n) {  // xorshift32
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}
const pick = (list) => list[below(list.length)];
const characters = (alphabet, count) => Array.from({ length: count }, () => pick(alphabet)).join('');

function anyValue(field) {
  // The package takes no empty value.
  const length = field.form === 'fixed' ? field.length : 1 + below(Math.min(field.length, 60));
  if (field.type === 'xn') return pick('CD') + characters(DIGITS, length - 1);
  return characters(ALPHABETS[field.type], field.type === 'b' ? 2 * length : length);
}

function anyMessage() {
  const message = { 0: pick(TYPES) };
  for (const field of specification.fields) {
    // Its own check of element 34 takes no letters.
    if (field.number !== 34 && below(4) === 0) message[field.number] = anyValue(field);
  }
  return message;
}

function fail(what, message, got) {
  console.error(`${what}\n  sent: ${JSON.stringify(message)}\n  got:  ${got}`);
  process.exit(1);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const sorted = (message) => Object.fromEntries(Object.entries(message).sort((a, b) => a[0] - b[0]));
function ask(input) {
  const answers = execFileSync(lines, [specificationFile], { input: input.join('\n') + '\n', maxBuffer: 1 << 28 })
    .toString().trim().split('\n');
  if (answers.length !== input.length) {
    console.error(`${input.length} lines are answered by ${answers.length}`);
    process.exit(1);
  }
  return answers;
}

const messages = Array.from({ length: MESSAGES }, anyMessage);
const packedByThem = messages.map((message) => {
  const packed = new Iso8583(message, FORMATS).getRawMessage();
  if (!Buffer.isBuffer(packed)) fail('iso_8583 does not pack a message', message, JSON.stringify(packed));
  return packed.toString('hex');
});
ask(packedByThem.map((hex) => `unpack ${hex}`)).forEach((answer, i) => {
  let read = null;
  try {
    read = sorted(JSON.parse(answer));
  } catch (error) {
    fail('we do not read what iso_8583 packed', messages[i], answer);
  }
  if (!same(read, sorted(messages[i]))) fail('we read what iso_8583 packed as another message', messages[i], answer);
});
ask(messages.map((message) => `pack ${JSON.stringify(message)}`)).forEach((hex, i) => {
  if (!/^([0-9a-f]{2})+$/i.test(hex)) fail('we do not pack a message', messages[i], hex);
  const read = new Iso8583({}, FORMATS).getIsoJSON(Buffer.from(hex, 'hex'), { lenHeader: false });
  if (!same(sorted(read), sorted(messages[i]))) fail('iso_8583 reads what we packed as another message', messages[i],
                                                     JSON.stringify(read));
});
console.log(`${MESSAGES} messages understood each way`);

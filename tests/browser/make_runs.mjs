// Run directories as `convoy train` leaves them, with curves that are made up, so that a test has as many
// points as it likes: makeRuns(folder, {points, epochs, seeds}) returns the folders.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

export const MODES = ['single', 'sync', 'async', 'ssp:3', 'local_sgd:16'];
const SPEED = {single: 90000, sync: 30000, async: 64000, 'ssp:3': 38000, 'local_sgd:16': 70000};
const QUALITY = {single: .885, sync: .885, async: .882, 'ssp:3': .886, 'local_sgd:16': .876};
const EPOCH_EXAMPLES = 60000;

// Numbers in [0, 1) that are the same each time (Numerical Recipes' generator).
const randomNumbers = seed => () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;

const job = (mode, seed, epochs) => `name: "made-up"
seed: ${seed}
data { train: "/data/train-images-idx3-ubyte" validation { fraction: 0.1 } }
model { mlp { hidden: 8 } }
optimizer { learning_rate: 0.1 }
training { mode: "${mode}" epochs: ${epochs} batch_size: 128 slices: 2 }
cluster { servers: 2 workers: 2 }
${mode === 'single' ? '' : 'rehearsal { slow_worker: "1=3x" }'}
`;

const summary = (mode, seconds, examples, updates, random) => ({
  job: 'made-up', mode, servers: mode === 'single' ? 0 : 2, workers: mode === 'single' ? 1 : 2, slices: 2,
  epoch_examples: EPOCH_EXAMPLES, steps: updates, examples, wall_seconds: seconds, examples_per_second: Math.round(examples / seconds),
  staleness: mode === 'async' || mode === 'ssp:3'
    ? {min: 0, mean: 1.4, max: 20, histogram: [[0, 0, 30], [1, 1, 50], [2, 2, 15], [16, 31, 2]].map(([from, to, count]) => ({from, to, count}))}
    : {min: 0, mean: 0, max: 0, histogram: []},
  bytes_sent: mode === 'single' ? 0 : 3.1e9, bytes_received: mode === 'single' ? 0 : 3.1e9, skipped_gradients: 0, stopped_early: false,
  processes: [0, 1].slice(0, mode === 'single' ? 1 : 2).map(rank => ({
    role: 'worker', rank, compute_seconds: seconds * .2,
    ...(mode === 'single' ? {} : {trained_seconds: seconds, waited_seconds: seconds * (.2 + .4 * random()), ...(rank ? {delayed_seconds: seconds * .3} : {})})})),
});

export function makeRuns(folder, {points, epochs = 20, seeds = 3}) {
  const folders = [];
  for (const mode of MODES) {
    for (let seed = 1; seed <= seeds; ++seed) {
      const random = randomNumbers(seed * 7919 + mode.length), run = join(folder, `${mode.replace(/\W/g, '-')}-${seed}`);
      const examples = epochs * EPOCH_EXAMPLES, speed = SPEED[mode] * (.95 + .1 * random());
      const batch = mode === 'async' || mode === 'ssp:3' ? 64 : mode === 'local_sgd:16' ? 2048 : 128;
      const at = share => ({time: +(examples * share / speed).toFixed(3), generation: 1, step: Math.round(examples * share / batch),
                            examples: Math.round(examples * share), epoch: epochs * share});
      const measured = (share, noise) => {
        const accuracy = QUALITY[mode] - .35 * Math.exp(-9 * share) + noise * (random() - .5);
        return {loss: +(1.9 * (1 - accuracy) + .1).toFixed(5), accuracy: +accuracy.toFixed(5), macro_f1: +(accuracy - .001).toFixed(5)};
      };
      const lines = [];
      for (let i = 1; i <= points; ++i) {
        lines.push({kind: 'train', ...at(i / points), ...measured(i / points, .03), examples_per_second: speed, staleness: {min: 0, mean: 1, max: 3}});
        if (i % Math.round(points / epochs) === 0) lines.push({kind: 'validation', ...at(i / points), version: 0, ...measured(i / points, .004)});
      }
      mkdirSync(run, {recursive: true});
      writeFileSync(join(run, 'job.textproto'), job(mode, seed, epochs));
      writeFileSync(join(run, 'events.jsonl'), lines.map(line => JSON.stringify(line) + '\n').join(''));
      writeFileSync(join(run, 'summary.json'), JSON.stringify(summary(mode, examples / speed, examples, Math.round(examples / batch), random)));
      folders.push(run);
    }
  }
  return folders;
}

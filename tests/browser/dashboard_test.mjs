// The dashboard of a job that trains, in a headless Chromium: node dashboard_test.mjs CONVOY FOLDER. FOLDER gets the
// run and pictures.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {chromium} from 'playwright-core';

const [, , convoy, folderName] = process.argv;
const folder = resolve(folderName);
rmSync(folder, {recursive: true, force: true});
mkdirSync(folder, {recursive: true});

let rows = 'a,b,label\n';
for (let i = 0; i < 4000; ++i) rows += `${i % 17},${i * 7 % 23},${i % 17 > i * 7 % 23 ? 'yes' : 'no'}\n`;
writeFileSync(join(folder, 'train.csv'), rows);
const job = join(folder, 'job.textproto'), plain = join(folder, 'plain.textproto');
const text = `name: "<b>watched</b>" data { train: "train.csv" cache_dir: "cache" csv { label: "label" } validation { fraction: 0.2 } }
model { mlp { hidden: 16 } } training { mode: "async" batch_size: 64 epochs: 1000000 validate_every_epochs: 20 }
cluster { servers: 2 workers: 3 } checkpoint { every_seconds: 2 }\n`;
writeFileSync(plain, text);
writeFileSync(job, text + 'rehearsal { slow_worker: "2=8x" }\n');

// A job that trains until stop().
async function startJob(name, file, more = []) {
  const child = spawn(convoy, ['train', file, '--run-dir', join(folder, name), '--dashboard', ...more]);
  let output = '';
  const ended = new Promise(done => child.on('exit', done));
  const url = await new Promise((found, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', text => {
        output += text;
        const line = /dashboard: (http\S+)/.exec(output);
        if (line && /examples\/s/.test(output)) found(line[1]);
      });
    }
    child.on('exit', () => failed(new Error(output)));
  });
  return {url, stop: () => { child.kill('SIGINT'); return ended; }};
}

const browser = await chromium.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});
async function open(url, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, colorScheme: 'light', ...options});
  const page = await context.newPage();
  const problems = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) problems.push(message.text()); });
  page.on('pageerror', error => problems.push(error.message));
  page.on('request', request => { if (!request.url().startsWith(url) && !request.url().startsWith('data:')) problems.push('asks for ' + request.url()); });
  await page.goto(url);
  return {page, problems};
}

const running = await startJob('run', job);
const tests = {
  async 'fills itself and goes on without being loaded again'() {
    const {page, problems} = await open(running.url);
    await page.waitForFunction(() => window.convoyDashboard.samples.length >= 8 && window.convoyDashboard.curves.validation.has('accuracy'), null, {timeout: 60000});
    assert.equal(await page.locator('h1').innerText(), '<b>watched</b>', 'text, not markup');
    for (const name of ['step', 'examples_per_second', 'waiting', 'staleness', 'received', 'sent', 'parked', 'curve-loss', 'curve-accuracy']) {
      assert.equal(await page.locator(`[data-chart="${name}"]`).count(), 1, name);
    }
    assert.equal(await page.locator('[data-chart="step"]').getAttribute('data-series'), '3');
    assert.equal(await page.locator('[data-chart="received"]').getAttribute('data-series'), '2');
    assert.equal(await page.locator('#workers tbody tr').count(), 3);
    assert.equal(await page.locator('#servers tbody tr').count(), 2);
    const state = () => page.evaluate(() => [window.convoyDashboard.samples.length, window.convoyDashboard.curves.train.get('loss').x.at(-1)]);
    const [samples, examples] = await state();
    await page.waitForFunction(([n, x]) => window.convoyDashboard.samples.length > n && window.convoyDashboard.curves.train.get('loss').x.at(-1) > x, [samples, examples]);
    const values = await page.evaluate(() => window.convoyDashboard.charts.slice(0, 7).map(({chart}) => chart.plot.data.slice(1).every(y => y.some(value => value != null))));
    assert.ok(values[0] && values[1] && values[2] && values[4] && values[5] && values[6], values.join());
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'names the slow worker, and shows events and checkpoints'() {
    const {page, problems} = await open(running.url);
    await page.waitForFunction(() => /worker 2 needs [\d.]+ times as long/.test(document.getElementById('warnings').innerText), null, {timeout: 60000});
    await page.waitForFunction(() => /checkpoint at step/.test(document.getElementById('events').innerText) && /validation at step/.test(document.getElementById('events').innerText), null, {timeout: 60000});
    await page.screenshot({path: join(folder, 'light.png'), fullPage: true});
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'a zoom and the pointer stay while new points come'() {
    const {page, problems} = await open(running.url);
    await page.waitForFunction(() => window.convoyDashboard.samples.length >= 8);
    const over = page.locator('[data-chart="step"] .u-over');
    await over.scrollIntoViewIfNeeded();
    const box = await over.boundingBox(), at = share => [box.x + share * box.width, box.y + box.height / 2];
    await page.mouse.move(...at(.2));
    await page.mouse.down();
    await page.mouse.move(...at(.5), {steps: 4});
    await page.mouse.up();
    const range = () => page.evaluate(() => { const {min, max} = window.convoyDashboard.charts[0].chart.plot.scales.x; return [min, max]; });
    await page.waitForFunction(() => window.convoyDashboard.charts[0].chart.plot.zoomed);
    const before = await range();
    await page.mouse.move(...at(.4));
    await page.locator('[data-chart="step"] .tip').waitFor({state: 'visible'});
    const answered = await page.evaluate(() => window.convoyDashboard.answered);
    await page.waitForFunction(n => window.convoyDashboard.answered >= n + 2, answered);
    assert.deepEqual(await range(), before);
    assert.ok(await page.locator('[data-chart="step"] .tip').isVisible());
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'is dark where the system is, and fits a narrow screen'() {
    const {page, problems} = await open(running.url, {colorScheme: 'dark', viewport: {width: 420, height: 800}});
    await page.waitForFunction(() => window.convoyDashboard.samples.length >= 2 && window.convoyDashboard.curves.train.has('loss'));
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(246, 247, 249)');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is cut off');
    await page.screenshot({path: join(folder, 'narrow.png'), fullPage: true});
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'says when the job is gone, and keeps what it showed'() {
    const {page} = await open(running.url);
    await page.waitForFunction(() => window.convoyDashboard.samples.length >= 2);
    await running.stop();
    await page.locator('#gone').waitFor({state: 'visible', timeout: 30000});
    assert.match(await page.locator('#gone').innerText(), /ended/);
    assert.equal(await page.locator('#workers tbody tr').count(), 3);
    await page.context().close();
  },

  async 'of one process alone it has no servers'() {
    const alone = await startJob('alone', plain, ['--mode', 'single']);
    const {page, problems} = await open(alone.url);
    await page.waitForFunction(() => window.convoyDashboard.curves.train.has('loss') && window.convoyDashboard.samples.length >= 2);
    assert.equal(await page.locator('#serverCard').isVisible(), false);
    assert.deepEqual(problems, []);
    await page.context().close();
    await alone.stop();
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok    ${name}`);
  } catch (error) {
    ++failed;
    console.log(`FAIL  ${name}\n${error.stack}`);
  }
}
await browser.close();
await running.stop();
console.log(failed ? `${failed} of ${Object.keys(tests).length} failed` : `all ${Object.keys(tests).length} passed; pictures in ${folder}`);
process.exit(failed ? 1 : 0);

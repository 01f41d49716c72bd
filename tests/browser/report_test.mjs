// A report in a headless Chromium: node report_test.mjs CONVOY FOLDER. FOLDER gets runs, reports and pictures.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {appendFileSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {chromium} from 'playwright-core';
import {makeRuns, MODES} from './make_runs.mjs';

const [, , convoy, folderName] = process.argv;
const folder = resolve(folderName);
rmSync(folder, {recursive: true, force: true});

const browser = await chromium.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});

// Makes the report of `runs` with the real program and opens it without a network.
async function open(name, runs, options = {}) {
  const out = join(folder, name);
  execFileSync(convoy, ['report', ...runs, '--target', 'validation/accuracy=0.87', '--out', out]);
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, offline: true, colorScheme: 'light', ...options});
  const page = await context.newPage();
  const problems = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) problems.push(message.text()); });
  page.on('pageerror', error => problems.push(error.message));
  page.on('request', request => { if (!/^(file|data):/.test(request.url())) problems.push('asks for ' + request.url()); });
  const file = join(out, 'report.html'), begin = performance.now();
  await page.goto('file://' + file);
  await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
  return {page, problems, file, milliseconds: performance.now() - begin, bytes: statSync(file).size};
}

const charts = page => page.locator('#curves [data-chart]');
const shownOf = (page, mode) => page.evaluate(name => window.convoyReport.charts.map(chart => chart.plot.series.filter(s => s.label === name && s.show).length), mode);

const tests = {
  async 'loads offline without a complaint, and every chart has a series for each run'() {
    const {page, problems} = await open('small', makeRuns(join(folder, 'small-runs'), {points: 400}));
    assert.equal(await charts(page).count(), 6, 'accuracy and loss, each by example, update and second');
    for (const chart of await charts(page).all()) {
      assert.equal(await chart.getAttribute('data-series'), String(3 * MODES.length));
    }
    const drawn = await page.evaluate(() => window.convoyReport.charts.every(({plot}) => plot.series.slice(1).every((s, i) => plot.data[i + 1].some(y => y != null))));
    assert.ok(drawn, 'every series has values');
    for (const id of ['verdict', 'modes', 'curves', 'bars', 'waits', 'staleness', 'facts', 'runs']) assert.equal(await page.locator('#' + id).count(), 1, id);
    assert.match(await page.locator('#verdict').innerText(), /async reached a validation accuracy of 0\.87/);
    assert.equal(await page.locator('#runs tbody tr').count(), 3 * MODES.length);
    await page.screenshot({path: join(folder, 'light.png'), fullPage: true});
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'a mode can be hidden in all charts and shown again'() {
    const {page, problems} = await open('small', [join(folder, 'small-runs/sync-1'), join(folder, 'small-runs/async-1'), join(folder, 'small-runs/async-2')]);
    const chip = page.locator('[data-mode="async"]');
    assert.deepEqual(await shownOf(page, 'async'), Array(6).fill(2));
    await chip.click();
    assert.equal(await chip.getAttribute('aria-pressed'), 'false');
    assert.deepEqual(await shownOf(page, 'async'), Array(6).fill(0));
    assert.deepEqual(await shownOf(page, 'sync'), Array(6).fill(1));
    await page.locator('#curves button', {hasText: 'training'}).click();
    assert.deepEqual(await shownOf(page, 'async'), Array(6).fill(0), 'also in other charts');
    await chip.click();
    assert.deepEqual(await shownOf(page, 'async'), Array(6).fill(2));
    assert.match(await charts(page).first().innerText(), /training accuracy by example/);
    const jumps = () => page.evaluate(() => {
      const ys = window.convoyReport.charts[0].plot.data[1].filter(y => y != null);
      return ys.slice(1).reduce((sum, y, i) => sum + Math.abs(y - ys[i]), 0);
    });
    const rough = await jumps();
    await page.locator('#smooth').check();
    assert.ok(await jumps() < rough / 2, 'smoothed curves jump less');
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'the pointer shows values, dragging zooms, a double click goes back'() {
    const {page, problems} = await open('small', [join(folder, 'small-runs')].flatMap(runs => MODES.map(mode => join(runs, mode.replace(/\W/g, '-') + '-1'))));
    const over = charts(page).nth(2).locator('.u-over');
    await over.scrollIntoViewIfNeeded();
    const box = await over.boundingBox(), at = share => [box.x + share * box.width, box.y + box.height / 2];
    await page.mouse.move(...at(.5));
    const tip = charts(page).nth(2).locator('.tip');
    await tip.waitFor({state: 'visible'});
    for (const mode of MODES) assert.match(await tip.innerText(), new RegExp(mode));
    const range = () => page.evaluate(() => { const {min, max} = window.convoyReport.charts[2].plot.scales.x; return max - min; });
    const all = await range();
    await page.mouse.move(...at(.2));
    await page.mouse.down();
    await page.mouse.move(...at(.4), {steps: 4});
    await page.mouse.up();
    await page.waitForFunction(whole => { const {min, max} = window.convoyReport.charts[2].plot.scales.x; return max - min < whole / 2; }, all);
    await over.dblclick();
    await page.waitForFunction(whole => { const {min, max} = window.convoyReport.charts[2].plot.scales.x; return max - min > .99 * whole; }, all);
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'is light or dark as the system is, can be switched, and prints light'() {
    const runs = MODES.flatMap(mode => [1, 2, 3].map(seed => join(folder, 'small-runs', `${mode.replace(/\W/g, '-')}-${seed}`)));
    const {page, problems} = await open('small', runs, {colorScheme: 'dark'});
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.screenshot({path: join(folder, 'dark.png'), fullPage: true});
    await page.locator('#theme').click();
    const light = await background();
    assert.notEqual(light, dark);
    await page.locator('#theme').click();
    assert.equal(await background(), dark);
    await page.emulateMedia({media: 'print'});
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    assert.equal(await background(), 'rgb(255, 255, 255)');
    assert.equal(await page.locator('.controls .group').first().isVisible(), false);
    await page.pdf({path: join(folder, 'print.pdf'), format: 'A4', printBackground: true});
    assert.ok(statSync(join(folder, 'print.pdf')).size > 20000);
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'fits a narrow screen'() {
    const {page, problems} = await open('small', [join(folder, 'small-runs/sync-1'), join(folder, 'small-runs/async-1')], {viewport: {width: 420, height: 800}});
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is cut off');
    await page.screenshot({path: join(folder, 'narrow.png'), fullPage: true});
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async 'shows failed runs and damaged lines, and text that looks like markup as text'() {
    const [good, bad] = makeRuns(join(folder, 'odd-runs'), {points: 100, seeds: 2}).slice(2, 4);
    appendFileSync(join(good, 'events.jsonl'), '{"kind": "train", "ti\n');
    writeFileSync(join(bad, 'summary.json'), JSON.stringify({failure: 'worker 1: </script><img src=x onerror=alert(1)> "quoted"', stopped_early: false}));
    const {page, problems} = await open('odd', [good, bad]);
    const text = await page.locator('#runs').innerText();
    assert.match(text, /did not end as planned: worker 1: <\/script><img/);
    assert.match(text, /1 damaged line of events\.jsonl left out: line \d+ is not a JSON object/);
    assert.equal(await page.locator('img').count(), 0);
    assert.deepEqual(problems, []);
    await page.context().close();
  },

  async '5 modes x 3 seeds x 10,000 points are less than 2 MB, and no extreme is lost'() {
    const runs = makeRuns(join(folder, 'large-runs'), {points: 10000});
    const {page, problems, bytes, milliseconds} = await open('large', runs);
    assert.ok(bytes < 2e6, `${bytes} bytes`);
    const losses = readFileSync(join(runs[3], 'events.jsonl'), 'utf8').split('\n').filter(line => line.includes('"train"')).map(line => JSON.parse(line).loss);
    const run = await page.evaluate(() => { const {train} = window.convoyReport.report.runs[3]; return train.values[train.metrics.indexOf('loss')]; });
    assert.ok(run.length < 2000, `${run.length} points are drawn`);
    assert.equal(Math.max(...run), Math.max(...losses));
    assert.equal(Math.min(...run), Math.min(...losses));
    const measured = [milliseconds];
    for (let i = 0; i < 4; ++i) {
      const begin = performance.now();
      await page.reload();
      await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
      measured.push(performance.now() - begin);
    }
    console.log(`      ${(bytes / 1e6).toFixed(2)} MB, drawn after ${measured.map(Math.round).join(', ')} ms`);
    await page.locator('#curves button', {hasText: 'training'}).click();
    await page.locator('#curves').screenshot({path: join(folder, 'large.png')});
    assert.deepEqual(problems, []);
    await page.context().close();
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
console.log(failed ? `${failed} of ${Object.keys(tests).length} failed` : `all ${Object.keys(tests).length} passed; pictures in ${folder}`);
process.exit(failed ? 1 : 0);

// A picture of a report for the documentation: node picture.mjs report.html picture.png [SECTION...]
// SECTION: ids of what is to be seen below the head; default: verdict modes curves.
import {resolve} from 'node:path';
import {chromium} from 'playwright-core';

const [, , report, picture, ...sections] = process.argv;
const shown = sections.length ? sections : ['verdict', 'modes', 'curves'];
const browser = await chromium.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});
const page = await browser.newPage({viewport: {width: 1120, height: 800}, colorScheme: 'light', offline: true});
await page.goto('file://' + resolve(report));
await page.evaluate(ids => {
  for (const part of document.querySelectorAll('#page > section, #page > footer')) part.hidden = !ids.includes(part.id);
  for (const part of document.querySelectorAll('[hidden]')) part.style.display = 'none';
  document.querySelector('main').style.padding = '20px 16px 4px';
}, shown);
await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
await page.screenshot({path: picture, fullPage: true});
await browser.close();

// Writes train.csv (400,000 flights) and test.csv (the 100,000 after them) from every sixth of the three million flights of
// vega-datasets, in the order of their departure: whether a flight was more than 15 minutes late, and what was known before.
//
//   npm install && node prepare.mjs [FOLDER]
import {createWriteStream} from 'node:fs'
import {once} from 'node:events'
import {asyncBufferFromFile, parquetReadObjects} from 'hyparquet'
import {compressors} from 'hyparquet-compressors'

const folder = process.argv[2] ?? '.'
const source = new URL('node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url).pathname
const every = 6, trained = 400_000, lateMinutes = 15n

const flights = await parquetReadObjects({file: await asyncBufferFromFile(source), compressors})

async function write(path, first, end) {
  const out = createWriteStream(path)
  out.write('late,origin,destination,route,hour,weekday\n')
  for (let i = first; i < end; ++i) {
    const f = flights[i * every]
    const line = [f.delay > lateMinutes ? 1 : 0, f.origin, f.destination, `${f.origin}-${f.destination}`,
      f.date.getUTCHours(), f.date.getUTCDay()].join(',')
    if (!out.write(line + '\n')) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
  console.log(`${path}: ${end - first} flights`)
}

const all = Math.floor(flights.length / every)
await write(`${folder}/train.csv`, 0, trained)
await write(`${folder}/test.csv`, trained, all)

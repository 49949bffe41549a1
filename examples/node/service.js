// An HTTP service that takes texts to be counted, and says how far they are.
//
//   node service.js [FOLDER] [PORT]
//   curl -d 'to be or not to be' localhost:8080/texts     answers 202 with where to look
//   curl localhost:8080/texts/1                           queued, held, failed, or the count
//
// Any number of services and workers open the same folder, or, with TENURE_URL=http://…, the same served store. A text that was answered with 202 is on the disk.

import { createServer } from 'node:http'
import { connect, open, TenureError } from 'tenure'

const [folder = 'texts.tenure', port = '8080'] = process.argv.slice(2)
const url = process.env.TENURE_URL
const store = url ? await connect(url) : await open(folder)

const server = createServer(async (request, response) => {
  const answer = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(`${JSON.stringify(body)}\n`)
  }
  try {
    const [, place, id] = request.url.split('/')
    if (request.method === 'POST' && place === 'texts') await take(request, answer)
    else if (request.method === 'GET' && place === 'texts' && /^\d+$/.test(id)) await tell(Number(id), answer)
    else answer(404, { error: 'POST /texts, or GET /texts/ID' })
  } catch (error) {
    const later = error instanceof TenureError && error.retry !== 'no'
    answer(later ? 503 : 500, { error: error.message, code: error.code })
  }
})

async function take(request, answer) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  // A client that got no answer sends the same key again: the text is counted once.
  const requestId = request.headers['idempotency-key']
  const task = await store.add('texts', Buffer.concat(chunks), { requestId })
  answer(202, { id: task.origin }, { location: `/texts/${task.origin}` })
}

async function tell(id, answer) {
  const result = await store.get('counts', String(id))
  if (result !== null) return answer(200, { id, ...result.json() })
  // Whatever its id is by now, it is still the same text.
  const task = await store.find(id)
  if (task === null) return answer(404, { error: 'no such text' })
  const state = task.owner !== 0 && task.availableAt > store.now() ? 'held' : 'queued'
  answer(200, { id, state, attempts: task.attempt, error: task.error })
}

server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(async () => store.close()))
}

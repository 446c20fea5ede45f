import { describe, expect, test } from 'vitest'
import { catalogOf, problemsOf, unmark } from '../../test/support/marked-catalog.ts'

function catalog({
  contacts = "platform: { phone: '1', chat: '#p' }, cto: { title: Ada, email: a@b }",
  escalation = '[{ call: platform }, { call: cto, after: 15m }]',
  service = 'owner: platform, onCall: platform, escalation: money',
} = {}): string {
  return `version: 1
name: acme
sites: { here: {} }
contacts: { ${contacts} }
escalations: { money: ${escalation}, night: [{ call: cto }] }
tiers: { 1: { escalation: night } }
services:
  db: { site: here, objectives: { rpo: 1m, rto: 1h }, ${service} }
`
}

describe('the people of a service', () => {
  test('are the entries that it names, each call by the fastest way unless another is named', async () => {
    const { services, contacts } = await catalogOf(
      catalog({ escalation: '[{ call: platform, by: chat }, { call: cto, after: 15m }]' }),
    )
    const platform = { name: 'platform', phone: '1', chat: '#p' }
    const cto = { name: 'cto', title: 'Ada', email: 'a@b' }
    expect(contacts).toEqual({ platform, cto })
    expect(services.db).toMatchObject({
      owner: 'platform',
      ownerContact: platform,
      onCallContact: platform,
      escalation: [
        { contact: platform, way: 'chat', afterMs: 0 },
        { contact: cto, way: 'email', afterMs: 900_000 },
      ],
    })
  })

  test('are texts where these name no entry, and the escalation is that of the tier', async () => {
    const { services } = await catalogOf(catalog({ service: "owner: Platform Team, onCall: '+1', tier: 1" }))
    expect(services.db).toMatchObject({ owner: 'Platform Team', onCall: '+1', escalation: [{ contact: { name: 'cto' } }] })
    expect(services.db).not.toHaveProperty('ownerContact')
    expect(services.db).not.toHaveProperty('onCallContact')
  })

  test('are nobody where the catalog names none', async () => {
    const { services } = await catalogOf(catalog({ service: 'description: x' }))
    expect(services.db).toMatchObject({ escalation: [] })
    expect(services.db).not.toHaveProperty('owner')
  })
})

test.each([
  ['an escalation that is not there', { service: 'owner: me, escalation: ‸mony' }, /did you mean 'money'/],
  ['a contact that is not there', { escalation: '[{ call: ‸platfrom }]' }, /did you mean 'platform'/],
  ['a way that the contact lacks', { escalation: '[{ call: cto, by: ‸phone }]' }, /contacts\.cto has none.*one of email/],
  [
    'a call before the one before it',
    { escalation: '[{ call: cto }, { call: cto, after: 5m }, { call: cto, after: ‸5m }]' },
    /call 3.*not after/,
  ],
  ['a first call that is not at once', { escalation: '[{ call: cto, after: ‸5m }]' }, /take its 'after' out/],
  ['a second call at once', { escalation: '[{ call: cto }, ‸{ call: cto }]' }, /write `after: 15m`/],
  [
    'a contact that cannot be reached',
    { contacts: "platform: { phone: '1' }, cto: ‸{ title: Ada }" },
    /phone, pager, sms, chat, email/,
  ],
  ['nobody to call', { escalation: '‸[]' }, /at least one entry/],
])('%s is a problem at its place', async (_what, parts, said) => {
  const { text, places } = unmark(catalog(parts))
  const problems = await problemsOf(text)
  expect(problems.places).toEqual(places)
  expect(problems.said).toMatch(said)
})

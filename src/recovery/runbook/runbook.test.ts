import { describe, expect, test } from 'vitest'
import { nothingKnown, renderedRunbook, runbookOf, shopText } from '../../../test/support/runbooks.ts'
import type { PastRecovery } from './evidence.ts'

describe('the steps of a runbook', () => {
  test('come after all that they wait for, in whatever order the plan is written', async () => {
    const { steps } = await runbookOf()
    expect(steps.map(({ id }) => id)).toEqual(['restore', 'switch', 'warm', 'verify', 'clean'])
    expect(steps.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5])
  })

  test('say which others may run at once: those that neither wait for them nor they for', async () => {
    const { steps } = await runbookOf()
    const alongside = Object.fromEntries(steps.map((step) => [step.id, step.alongside]))
    expect(alongside).toEqual({
      restore: ['warm'],
      switch: ['warm'],
      warm: ['restore', 'switch', 'clean'],
      verify: ['clean'],
      clean: ['warm', 'verify'],
    })
  })

  test('know whether they come after the point of no return, and are then not rolled back', async () => {
    const { steps, rollback } = await runbookOf()
    expect(steps.filter(({ pastNoReturn }) => pastNoReturn).map(({ id }) => id)).toEqual(['verify', 'clean'])
    // In reverse order; `clean` could be undone, but comes after.
    expect(rollback.map(({ step, kind }) => [step, kind])).toEqual([
      ['warm', 'automatic'],
      ['restore', 'automatic'],
    ])
    expect(rollback[0]?.commands).toEqual(['export TOKEN="$HOLDFAST_TEST_TOKEN"', './cool'])
  })

  test('have a time limit of all attempts, the pauses between them and the check', async () => {
    const steps = `
      - id: restore
        do: { files.restore: { service: orders, target: /srv/back } }
        timeout: 10m
        retry: { attempts: 3, backoff: 30s, factor: 2, maxBackoff: 40s }
        check: { shell: { run: ./look, effect: read-only }, timeout: 2m }
      - { id: ask, do: { approve: { expiresIn: 4h } }, timeout: 1m, after: [restore] }
      - { id: pause, do: { wait: { for: 30s } }, after: [ask] }`
    const runbook = await runbookOf(shopText({ steps }))
    expect(runbook.steps.map(({ limitMs }) => limitMs)).toEqual([30 * 60_000 + 70_000 + 120_000, 4 * 3_600_000, 30_000])
  })

  test('name what an earlier step will have given, where that is known before', async () => {
    const steps = `
      - { id: restore, do: { postgres.restore: { service: orders, target: /srv/pg } } }
      - { id: start, do: { postgres.start: { dataDirectory: '\${steps.restore.dataDirectory}' } }, after: [restore] }
      - { id: tell, do: { shell: { run: [tell, '\${steps.start.url}'], effect: read-only } }, after: [start] }`
    const runbook = await runbookOf(shopText({ steps }))
    const [, start, tell] = runbook.steps
    expect(start?.commands[0]).toContain('pg_ctl -D /srv/pg -w start')
    expect(start?.outputs).toEqual([])
    expect(tell?.outputs).toEqual(['steps.start.url'])
  })
})

describe('whom to call', () => {
  const contacts = `contacts:
  shop: { title: Shop Team, phone: +1-555-0100, chat: '#shop' }
  cto: { title: Ada, pager: ada@pager, hours: 8 to 20 }
escalations: { money: [{ call: shop, by: chat }, { call: cto, after: 10m }] }
services:`
  const steps = `
      - { id: ask, do: { approve: { by: [cto, nobody] } } }`
  const called = shopText({ steps })
    .replace('services:', contacts)
    .replace('owner: Shop', 'owner: shop')
    .replace("onCall: '+1-555-0100'", 'escalation: money')

  test('is in the order of the escalation, with the way, and what the catalog knows of owner and approvers', async () => {
    const markdown = await renderedRunbook(called)
    expect(markdown).toContain('- **Owner:** Shop Team (phone +1-555-0100, chat #shop)')
    expect(markdown).toContain('- **On call:** Shop Team (phone +1-555-0100, chat #shop)')
    expect(markdown).toContain('1. At once: **Shop Team**, chat #shop\n2. After 10 min: **Ada**, pager ada@pager (8 to 20)\n')
    expect(markdown).toContain('- **Ask:** Ada (pager ada@pager, 8 to 20)')
  })

  test('is loudly nobody where the catalog names none', async () => {
    const markdown = await renderedRunbook(shopText().replace('    owner: Shop\n', ''))
    expect(markdown).toContain('- **Owner:** NOBODY (the catalog names none)')
  })
})

describe('a runbook', () => {
  test('says what its commands are for in one column, however long the name of the service is', async () => {
    const name = 'orders-of-the-last-ten-years'
    const markdown = await renderedRunbook(shopText().replaceAll(/\borders\b/g, name), { service: name })
    const lines = markdown.split('\n').filter((line) => /^holdfast (?:recover|run) .* # /.test(line))
    expect(lines).toHaveLength(5)
    expect(new Set(lines.map((line) => line.indexOf('#'))).size).toBe(1)
  })

  test('marks the point of no return loudly, in both formats', async () => {
    const markdown = await renderedRunbook()
    expect(markdown).toContain('> **⚠ POINT OF NO RETURN**')
    expect(markdown).toMatch(/\| 2 +\| switch +\| shell +\| restore +\| POINT OF NO RETURN \|/)
    const html = await renderedRunbook(undefined, { format: 'html' })
    expect(html).toContain('<section class="step no-return">\n<h3>Step 2: switch</h3>\n<div class="alarm">')
    expect(html.match(/section class="step no-return"/g)).toHaveLength(1)
  })

  test('says where secrets are, and never what they are', async () => {
    process.env.HOLDFAST_TEST_TOKEN = 'hunter2'
    try {
      for (const format of ['md', 'html'] as const) {
        const text = await renderedRunbook(undefined, { format })
        expect(text).not.toContain('hunter2')
        expect(text).toContain('the environment variable HOLDFAST')
      }
    } finally {
      delete process.env.HOLDFAST_TEST_TOKEN
    }
  })

  test('is the same from every folder and for every rendering', async () => {
    // Each is read from a folder of its own.
    const [first, second] = [await renderedRunbook(), await renderedRunbook()]
    expect(second).toBe(first)
    expect(await renderedRunbook(undefined, { evidence: nothingKnown })).toBe(
      await renderedRunbook(undefined, { evidence: nothingKnown }),
    )
    expect(first).toContain('the file near-password beside the catalog')
    expect(first).toContain('export RESTIC_PASSWORD="$(cat "$HOME"/far-password)"')
    expect(first).not.toContain('/tmp/')
  })

  test('warns of a backup on the site of the service', async () => {
    const markdown = await renderedRunbook()
    expect(markdown).toContain('`here` (the cellar), **the same as the service: lost with it**')
    expect(markdown).not.toContain('Every backup is on the site of the service')
    const both = await renderedRunbook(shopText().replace('url: /mnt/far, site: there', 'url: /mnt/far, site: here'))
    expect(both).toContain('Every backup is on the site of the service')
  })

  test('says what must be up first, and by which plan it comes back', async () => {
    expect(await renderedRunbook(undefined, { service: 'web' })).toContain(
      '- [ ] `orders` is up (owner Shop, on call +1-555-0100). If it is not: first `holdfast recover orders` (plan `back`;',
    )
  })

  test('says that nobody is on call, that nothing is checked, and that no symptom is known', async () => {
    const text = shopText({ steps: '      - { id: only, do: { shell: { run: ./only } } }' })
      .replace("    onCall: '+1-555-0100'\n", '')
      .replace(/ {4}detection: .*\n/, '')
    const markdown = await renderedRunbook(text)
    expect(markdown).toContain('NOBODY')
    expect(markdown).toContain('**The plan checks nothing**')
    expect(markdown).toContain('**The catalog names no symptoms**')
  })

  test('is refused for a service without a plan', async () => {
    const without = shopText().replace('    recovery: back\n', '')
    await expect(runbookOf(without)).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('what a runbook says of the past', () => {
  const good: PastRecovery = {
    time: new Date('2026-01-02T03:04:05Z'),
    mode: 'drill',
    outcome: 'completed',
    planHash: 'a'.repeat(64),
    rpaMs: 20_000,
    rtaMs: 600_000,
    verdict: 'met',
    checks: 2,
    checksFailed: 0,
    record: { repository: 'far', seq: 7 },
  }
  const bad: PastRecovery = {
    ...good,
    time: new Date('2026-01-09T03:04:05Z'),
    outcome: 'failed',
    verdict: 'missed',
    checksFailed: 1,
  }
  const said = (evidence: Partial<typeof nothingKnown>) =>
    renderedRunbook(undefined, { evidence: { ...nothingKnown, ...evidence } })

  test('never: nobody knows whether this works', async () => {
    const markdown = await said({})
    expect(markdown).toContain('**never: nobody knows whether this works**')
    expect(markdown).toContain('up to 20 min 30 s: its time limit, for no past run is known')
  })

  test('is unknown, not never, when a ledger could not be read', async () => {
    const markdown = await said({ unseen: [{ place: 'far', because: 'it is not mounted' }] })
    expect(markdown).not.toContain('never')
    expect(markdown).toContain('**Unknown**')
    expect(markdown).toContain('could not be looked into: `far`: it is not mounted')
  })

  test('is what was measured, and whether it was this plan', async () => {
    const markdown = await said({ recoveries: [good] })
    expect(markdown).toContain('this one was never tried')
    expect(markdown).toContain('drill completed, RPA 20 s, RTA 10 min, objectives met, 2 of 2 checks passed')
    const { planHash } = await runbookOf()
    expect(await said({ recoveries: [{ ...good, planHash }] })).toContain('Last worked: **2026-01-02 03:04 UTC**.')
  })

  test('is that it does not work when the last try failed, and nothing when it checked nothing', async () => {
    expect(await said({ recoveries: [bad, good] })).toContain(
      '**The last try did not work**. It last worked on 2026-01-02 03:04 UTC.',
    )
    expect(await said({ recoveries: [{ ...good, checks: 0 }] })).toContain('**It never worked**')
    // Somebody cancelled it: that says nothing against the plan.
    expect(await said({ recoveries: [{ ...bad, outcome: 'aborted' }, good] })).toContain('Last worked')
  })

  test('gives expected times from past runs, and says which are not', async () => {
    const time = { medianMs: 240_000, longestMs: 300_000, runs: 3 }
    const markdown = await said({ stepTimes: new Map([['restore', time]]) })
    expect(markdown).toContain('**about 4 min**, median of 3 past runs; the longest took 5 min')
    // restore, then switch and clean with their limits: 4 + 2 + 10 min.
    expect(markdown).toContain(
      'about **16 min**, which is longer than the RTO (1 of 5 steps were measured, the others count with their time limits)',
    )
  })
})

describe('the runbook of another plan than the recovery', () => {
  const home = `  home:
    recovers: [web, orders]
    steps:
      - { id: look, do: { http.check: { url: 'http://localhost/health' } } }
`

  test('names the plan wherever it says what to type, and is of that plan', async () => {
    const text = await renderedRunbook(shopText() + home, { service: { service: 'orders', plan: 'home' } })
    expect(text).toMatch(/<!-- holdfast-runbook service=orders plan=home /)
    expect(text).toContain('# Runbook: orders, home')
    for (const line of [
      'holdfast recover orders --plan home --dry-run',
      'holdfast runbook orders --plan home --output FILE',
      'holdfast runbook check orders --plan home FILE',
    ])
      expect(text).toContain(line)
    // Whoever types that brings back by another plan.
    expect(text).not.toMatch(/holdfast recover orders(?! --plan home)/)
  })

  test('says that it is not what brings the service back after a disaster, and nothing of how that shows', async () => {
    const health = "    health: { http: 'http://localhost/orders' }"
    const text = await renderedRunbook(shopText({ orders: health }) + home, { service: { service: 'orders', plan: 'home' } })
    expect(text).toContain('that is the plan `back`, its runbook `holdfast runbook orders`')
    expect(text).not.toContain('does not answer')
    expect(text).toContain('holdfast drill run home')
  })

  test('is refused for a plan that does not recover the service', async () => {
    await expect(runbookOf(shopText(), { service: 'orders', plan: 'web-back' })).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('back') as string,
    })
    await expect(runbookOf(shopText(), { service: 'orders', plan: 'toString' })).rejects.toMatchObject({ code: 'usage' })
  })
})

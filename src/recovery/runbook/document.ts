/** A piece of text within a line. `measured` is no part of what is compared. */
export type Inline = string | { readonly code: string } | { readonly strong: string } | { readonly measured: readonly Inline[] }

/** What a runbook is made of, worded but not yet in any format. Every text may hold anything: the formats escape. */
export type Block =
  | { readonly type: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly type: 'text'; readonly text: readonly Inline[] }
  | { readonly type: 'facts'; readonly facts: readonly Fact[] }
  | { readonly type: 'list'; readonly style: 'bullet' | 'check' | 'number'; readonly items: readonly (readonly Inline[])[] }
  /** Names and figures only. */
  | { readonly type: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  /** Lines for a shell. */
  | { readonly type: 'commands'; readonly lines: readonly string[] }
  /** What must not be overlooked. */
  | { readonly type: 'alarm'; readonly title: string; readonly text: readonly Inline[] }
  /** Kept together on paper. */
  | { readonly type: 'step'; readonly noReturn: boolean; readonly blocks: readonly Block[] }
  /** Begins on a page of its own on paper. */
  | { readonly type: 'chapter'; readonly blocks: readonly Block[] }
  | { readonly type: 'measured'; readonly blocks: readonly Block[] }
  /** An SVG of ours, in which everything foreign is escaped; where there are no pictures stands what it shows. */
  | { readonly type: 'picture'; readonly svg: string; readonly instead: readonly Block[] }

export type Fact = readonly [label: string, text: readonly Inline[]]

/** A runbook in words. */
export interface RunbookDocument {
  readonly title: string
  /** What `runbook check` reads first. */
  readonly identity: RunbookIdentity
  readonly blocks: readonly Block[]
}

export interface RunbookIdentity {
  readonly service: string
  readonly plan: string
  readonly hash: string
  readonly version: string
}

export const heading = (level: 2 | 3, text: string): Block => ({ type: 'heading', level, text })
export const text = (...parts: readonly Inline[]): Block => ({ type: 'text', text: parts })
export const list = (style: 'bullet' | 'check' | 'number', items: readonly (readonly Inline[])[]): Block => ({
  type: 'list',
  style,
  items,
})
export const commands = (lines: readonly string[]): Block => ({ type: 'commands', lines })
export const code = (value: string): Inline => ({ code: value })
export const strong = (value: string): Inline => ({ strong: value })

/** `a`, `b` and `c`. */
export function names(values: readonly string[], last = 'and'): Inline[] {
  return values.flatMap((value, index) => [
    ...(index === 0 ? [] : [index === values.length - 1 ? ` ${last} ` : ', ']),
    code(value),
  ])
}

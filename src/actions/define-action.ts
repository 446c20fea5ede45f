import { z } from 'zod'
import { HoldfastError, type Json } from '../kernel/index.ts'
import { notDone, unknown, type Action, type ActionContext, type AnyAction, type Waits } from './contract.ts'

/** Declares an action; see Action for what each member promises. */
export function defineAction<Params>(action: Action<Params>): AnyAction {
  return {
    kind: action.kind,
    description: action.description,
    example: action.example,
    effect: typeof action.effect === 'function' ? 'as-said' : action.effect,
    canUndo: action.undo === undefined ? 'never' : action.canUndo === undefined ? 'always' : 'as-said',
    params: action.params,
    bind(raw) {
      const parsed = action.params.safeParse(raw)
      if (!parsed.success) {
        throw new HoldfastError('usage', {
          message: `the parameters of ${action.kind} do not fit: ${z.prettifyError(parsed.error).replaceAll('\n', '; ')}`,
          hint: '`holdfast validate` shows where in the catalog',
        })
      }
      const params = parsed.data
      const effect = typeof action.effect === 'function' ? action.effect(params) : action.effect
      return {
        kind: action.kind,
        effect,
        isCheck: effect === 'read-only' && action.wait === undefined && action.isCheck !== false,
        canUndo: action.undo !== undefined && (action.canUndo?.(params) ?? true),
        preflight: async (context, signal) => (await action.preflight?.(params, context, signal)) ?? [],
        async probe(context, probe) {
          if (action.probe !== undefined) return action.probe(params, context, probe)
          if (effect === 'read-only' || probe.previous !== 'interrupted') return notDone
          return unknown(`${action.kind} was interrupted, and has no way to see how far it came`)
        },
        ...(action.wait === undefined
          ? {}
          : { wait: async (context: ActionContext, waits: Waits) => (await action.wait?.(params, context, waits)) ?? null }),
        run: async (context, attempt) => (await action.run?.(params, context, attempt)) ?? null,
        undo: async (output, context, attempt) => action.undo?.(params, output, context, attempt),
        manual: (catalog) => action.manual(params, catalog),
        manualUndo: (catalog) => action.manualUndo?.(params, catalog) ?? [],
        reach: (sandbox) => action.reach?.(params, sandbox) ?? 'outside',
        inSandbox(place) {
          const moved = action.inSandbox?.(params, place)
          return moved === undefined
            ? { params: raw as Json, moved: {} }
            : { params: moved.params as Json, moved: moved.moved ?? {} }
        },
        foreseen: () => action.foreseen?.(params) ?? {},
      }
    },
  }
}

import { z } from 'zod'
import { HoldfastError, type Json } from '../kernel/index.ts'
import type { AnyFault, Fault, FaultPlan, RecalledFault } from './contract.ts'

/** Declares a fault; see Fault for what each member promises. */
export function defineFault<Params, Traces>(fault: Fault<Params, Traces>): AnyFault {
  const { kind, description, example, expiry, holder } = fault
  const irreversible = fault.irreversible === true
  const traced = (raw: unknown): Traces => {
    const parsed = fault.traces.safeParse(raw)
    if (parsed.success) return parsed.data
    throw new HoldfastError('journal-damaged', {
      message: `the record of a fault ${kind} cannot be understood: ${onOneLine(parsed.error)}`,
      hint: 'take the fault back by hand, then delete its record',
    })
  }
  const recall = (raw: unknown): RecalledFault => {
    const traces = traced(raw)
    return {
      kind,
      irreversible,
      look: (context, signal) => fault.look(traces, context, signal),
      undo: (context, signal) => fault.undo(traces, context, signal),
      manualUndo: (id) => fault.manualUndo(traces, id),
    }
  }
  return {
    kind,
    description,
    example,
    irreversible,
    expiry,
    params: fault.params,
    recall,
    bind(raw) {
      const parsed = fault.params.safeParse(raw)
      if (!parsed.success) {
        throw new HoldfastError('usage', {
          message: `the parameters of ${kind} do not fit: ${onOneLine(parsed.error)}`,
          hint: 'docs/faults.md lists them',
        })
      }
      const params = parsed.data
      return {
        kind,
        params: raw as Json,
        irreversible,
        expiry,
        ...(holder === undefined ? {} : { holder }),
        preflight: async (context, signal) => (await fault.preflight?.(params, context, signal)) ?? [],
        plan: async (context, signal) => (await fault.plan(params, context, signal)) as FaultPlan<Json>,
        inject: (traces, context, signal) => fault.inject(params, traced(traces), context, signal),
        recall,
      }
    },
  }
}

function onOneLine(error: z.ZodError): string {
  return z.prettifyError(error).replaceAll('\n', '; ')
}

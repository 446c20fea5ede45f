import { HoldfastError, runProcess, type Json } from '../../../kernel/index.ts'
import type { PythonProvider } from '../places.ts'
import { substitute } from '../substitute.ts'
import { ActivityFailed, type CtkVariables } from '../types.ts'
import { secretsFor } from '../variables.ts'
import { findProgram } from './process.ts'

/**
 * Calls functions of Python modules, told on stdin and answered on stdout as JSON. What the functions print goes to stderr. Its own
 * chaoslib is not needed: modules that import it must find one.
 */
const shim = `
import importlib, inspect, json, os, sys, traceback
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
asked = json.load(sys.stdin)

def find(module, func):
    try:
        mod = importlib.import_module(module)
    except ImportError as x:
        return None, "could not find Python module '%s': %s" % (module, x)
    found = getattr(mod, func, None)
    if found is None or not callable(found):
        return None, "the Python module '%s' does not expose a function called '%s'" % (module, func)
    return found, None

def extra(found, call, empty):
    try:
        sig = inspect.signature(found)
    except ValueError:
        return None, {}
    more = {}
    if "secrets" in sig.parameters and (empty or "secrets" in call):
        more["secrets"] = None if empty else call["secrets"]
    if "configuration" in sig.parameters:
        more["configuration"] = None if empty else call["configuration"]
    return sig, more

def check(call):
    found, problem = find(call["module"], call["func"])
    if problem:
        return problem
    sig, more = extra(found, call, True)
    if sig is None:
        return None
    try:
        sig.bind(**dict(call["arguments"], **more))
    except TypeError as x:
        return "%s.%s: %s" % (call["module"], call["func"], x)
    return None

if asked["what"] == "check":
    json.dump([check(call) for call in asked["calls"]], out)
else:
    call = asked["call"]
    found, problem = find(call["module"], call["func"])
    if problem:
        json.dump({"failed": problem}, out)
    else:
        try:
            sig, more = extra(found, call, False)
            json.dump({"output": found(**dict(call["arguments"], **more))}, out, default=str)
        except Exception as x:
            json.dump({"failed": traceback.format_exception_only(type(x), x)[0].strip()}, out)
out.close()
`

/** What is wrong with each of these providers; undefined where nothing is. Imports their modules, and calls nothing. */
export async function checkPython(providers: readonly PythonProvider[], signal: AbortSignal): Promise<(string | undefined)[]> {
  const missing = 'python3 is not in PATH'
  if (findProgram('python3') === undefined) return providers.map(() => missing)
  const calls = providers.map(({ module, func, arguments: given = {} }) => ({ module, func, arguments: given }))
  const answer = (await ask({ what: 'check', calls }, signal)) as readonly (string | null)[]
  return answer.map((problem) => problem ?? undefined)
}

/** The result of the function. Throws ActivityFailed with what it raised. */
export async function playPython(provider: PythonProvider, variables: CtkVariables, signal: AbortSignal): Promise<Json> {
  const { module, func, secrets } = provider
  const call = {
    module,
    func,
    arguments: substitute(provider.arguments ?? {}, variables),
    configuration: variables.configuration,
    ...(secrets === undefined ? {} : { secrets: secretsFor(provider, variables) }),
  }
  const answer = (await ask({ what: 'call', call }, signal)) as { readonly output?: Json; readonly failed?: string }
  if (answer.failed !== undefined) throw new ActivityFailed(answer.failed)
  return answer.output ?? null
}

async function ask(question: Json, signal: AbortSignal): Promise<unknown> {
  const options = { input: JSON.stringify(question), keepBytes: 16 * 1024 * 1024 }
  const { exitCode, stdout, stderr } = await runProcess('python3', ['-c', shim], options, signal)
  try {
    return JSON.parse(stdout) as unknown
  } catch (cause) {
    const said = stderr.trim().split('\n').at(-1) ?? ''
    throw new HoldfastError('command-failed', { message: `python3 ended with exit code ${exitCode}: ${said}`, cause })
  }
}

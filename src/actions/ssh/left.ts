/**
 * A line for sh that ends what an interrupted attempt left running on another machine, as attempt-processes.ts does here: SIGTERM, after
 * 5 s SIGKILL. Exit code 0 when nothing is left, 3 when something does not end. Needs /proc: elsewhere it finds nothing.
 */
export function endLeftLine(cookie: Readonly<Record<string, string>>): string {
  const [name, value] = Object.entries(cookie)[0] ?? ['', '']
  return `
left() {
  for p in /proc/[0-9]*; do
    vars="$(tr '\\000' '\\n' < "$p/environ" 2>/dev/null)" || continue
    case "\n$vars\n" in *"\n${name}=${value}\n"*) ;; *) continue ;; esac
    stat="$(cat "$p/stat" 2>/dev/null)" || continue
    set -- \${stat##*) }
    [ "$1" = Z ] && continue
    case "\n$vars\n" in *"\nHOLDFAST_SESSION=$4\n"*) echo "\${p#/proc/}" ;; esac
  done
}
for signal in TERM KILL; do
  pids="$(left)"
  [ -z "$pids" ] && exit 0
  kill -s "$signal" $pids 2>/dev/null
  for pause in 0.1 0.2 0.5 1 1 1 1.2; do
    sleep "$pause"
    [ -z "$(left)" ] && exit 0
  done
done
exit 3`
}

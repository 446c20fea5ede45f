import { homedir, userInfo } from 'node:os'

/** Who runs this, for records and for people. A number that the system has no name for, as in many containers, is `uid-NUMBER`. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}

/** Of whoever runs this. `/` when neither HOME nor the system names one: the folder that container runtimes give such a user. */
export function homeFolder(): string {
  try {
    return homedir()
  } catch {
    return '/'
  }
}

/** `~` and `~/…`, as a shell takes them. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, () => homeFolder())
}

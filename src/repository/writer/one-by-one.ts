/**
 * Runs one task after the other. After a failure nothing more is done: a blob that was claimed in the table of known ones is missing then,
 * and others may count on it.
 */
export function oneByOne(): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result
    // Every caller gets the error from its own result.
    result.catch(() => {})
    return result
  }
}

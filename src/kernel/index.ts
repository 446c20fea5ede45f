export { bootIdentity } from './boot.ts'
export { canonicalJson, type Json } from './canonical-json.ts'
export { systemClock, type Clock } from './clock.ts'
export { expandHome, homeFolder, userName } from './current-user.ts'
export { keepChecked, readChecked } from './checked-file.ts'
export { createFileDurably, diskFullOr, giveName, syncDirectory, writeFileDurably, type DurableFile } from './durable-file.ts'
export { formatDuration, parseDuration, tryParseDuration, writeDuration } from './duration.ts'
export {
  exitCodes,
  HoldfastError,
  isErrorCode,
  isHoldfastError,
  messageOf,
  systemCode,
  type ErrorCode,
  type ErrorParts,
  type ExitCode,
} from './errors.ts'
export { blocker, type Finding } from './finding.ts'
export { randomHex, sha256Hex, shortId } from './hash.ts'
export { hostPortText, parseHostPort, type HostPort } from './host-port.ts'
export { mapConcurrently } from './map-concurrently.ts'
export { endProcesses, processesStartedWith, sendSignal, sessionsStartedWith, type StartedWith } from './marked-processes.ts'
export { keepsAlive } from './keeps-alive.ts'
export { addressing, nodeFfi, type Ffi } from './node-ffi.ts'
export { isPathWithin } from './path.ts'
export { onOneLine, printable, printableName } from './printable.ts'
export {
  hostIdentity,
  identityOf,
  ownIdentity,
  processState,
  type ProcessIdentity,
  type ProcessState,
} from './process-identity.ts'
export { notice, onNotice } from './notice.ts'
export { Peeking } from './peeking.ts'
export { Places } from './places.ts'
export { mayRun, programAt, programFolders } from './program-at.ts'
export { quote } from './quote.ts'
export { seededRandom, type Random } from './random.ts'
export { realTime } from './real-time.ts'
export { runProcess, type ProcessOptions, type ProcessResult } from './process.ts'
export { formatSize, tryParseSize } from './size.ts'
export { stateDirectory } from './state-directory.ts'
export { steadyClock, type Anchor } from './steady-clock.ts'

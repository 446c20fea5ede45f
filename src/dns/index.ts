export { askServer, query, type Said } from './ask.ts'
export { exchange, type Exchange, type ExchangeResult } from './exchange.ts'
export {
  classes,
  decodeMessage,
  encodeMessage,
  encodeRecord,
  flags,
  headerBytes,
  opcodes,
  rcodeName,
  rcodes,
  Reader,
  types,
  type Message,
  type Question,
  type ReadMessage,
  type ResourceRecord,
} from './message.ts'
export { absolute, encodeName, isSameName, isWithin, plainName } from './name.ts'
export { encodeValue, normalValue, recordTypes, valueProblem, valueText, type RecordType } from './rdata.ts'

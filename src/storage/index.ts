export type { Backend, GetOptions, ObjectInfo, ObjectKind, PutOptions } from './backend.ts'
export type { SealedArea } from './sealed-area.ts'

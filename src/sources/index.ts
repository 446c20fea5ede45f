export { createFilesSource, type FilesSourceOptions } from './files/files-source.ts'
export { createPostgresSource, type PostgresSourceOptions } from './postgres/postgres-source.ts'
export { backupPaths, readBaseBackupRecord, type BaseBackupRecord } from './postgres/record.ts'

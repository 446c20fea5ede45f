/** What a writer's threads of a backup of files open: see FileMakerModule. */
export { createFileNodes as openFileMaker } from './files/file-nodes.ts'

export { connect, type ApiRequest, type Connection } from './connection.ts'
export { isMissing, readObject, type KubeObject } from './object.ts'
export { apiPath, isPathSegment } from './path.ts'
export {
  controllerOf,
  endPod,
  hasEmptyDir,
  isLiving,
  isStaticPod,
  livingPods,
  podsPath,
  stillLiving,
  type PodEnding,
  type PodTrace,
} from './pods.ts'

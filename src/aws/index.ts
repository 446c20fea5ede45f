export { isRefusal, orMissing } from './failure.ts'
export { openRestService } from './rest.ts'
export { awsParams, AwsSession, regionName, type AwsTarget } from './session.ts'

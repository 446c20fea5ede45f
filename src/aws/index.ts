export { isRefusal } from './failure.ts'
export { awsParams, AwsSession, regionName, type AwsTarget } from './session.ts'

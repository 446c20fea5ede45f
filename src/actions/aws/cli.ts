import type { AwsTarget } from '../../aws/index.ts'
import { quote } from '../../kernel/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { exportSecret } from '../shell-words.ts'

/** The lines that give the `aws` command the same credentials, for a runbook. */
export function cliCredentials({ credentials }: AwsTarget, catalog: Catalog | undefined): string[] {
  if (credentials === undefined) return []
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return [
    exportSecret('AWS_ACCESS_KEY_ID', accessKeyId, catalog),
    exportSecret('AWS_SECRET_ACCESS_KEY', secretAccessKey, catalog),
    sessionToken === undefined ? 'unset AWS_SESSION_TOKEN' : exportSecret('AWS_SESSION_TOKEN', sessionToken, catalog),
  ]
}

/** A line for sh: `aws ec2 start-instances --region us-west-2 …`. Words are quoted here. */
export function awsLine({ region, endpoint }: AwsTarget, words: readonly string[]): string {
  const [service = '', operation = '', ...rest] = words
  const options = ['--region', region, ...(endpoint === undefined ? [] : ['--endpoint-url', endpoint])]
  return ['aws', service, operation, ...options, ...rest].map(quote).join(' ')
}

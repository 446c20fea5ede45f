import type { AwsTarget } from '../../aws/index.ts'
import { quote } from '../../kernel/index.ts'

/** A line for sh: `aws ec2 start-instances … --region us-west-2`. Words are quoted here. */
export function awsByHand({ region, endpoint }: AwsTarget, ...words: readonly string[]): string {
  return ['aws', ...words, '--region', region, ...(endpoint === undefined ? [] : ['--endpoint-url', endpoint])]
    .map(quote)
    .join(' ')
}

import { powerAction } from './aws/ec2-power.ts'

/** Starts EC2 instances and waits until they run. Its undo stops those that it started, and no others. */
export const awsEc2Start = powerAction('running', {
  kind: 'aws.ec2.start',
  description:
    'Starts EC2 instances, and waits until all run. The preflight finds instances that do not exist, and asks EC2 by dry runs whether it may do this and take it back. Which of them it changes is noted before: the undo stops those again, and no others. Outputs: `instances`, by id, with `state`, `privateIp` and `publicIp`; `changed`, the ids that were not so before.',
  example: { region: 'us-west-2', instances: ['i-0123456789abcdef0', 'i-0fedcba9876543210'] },
})

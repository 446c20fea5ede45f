import { powerAction } from './aws/ec2-power.ts'

/** Stops EC2 instances and waits until they are stopped. Its undo starts those that it stopped, and no others. */
export const awsEc2Stop = powerAction('stopped', {
  kind: 'aws.ec2.stop',
  description:
    'Stops EC2 instances, and waits until all are stopped. The preflight finds instances that do not exist, and asks EC2 by dry runs whether it may do this and take it back. Which of them it changes is noted before: the undo starts those again, and no others. Outputs: `instances`, by id, with `state`, `privateIp` and `publicIp`; `changed`, the ids that were not so before.',
  example: { region: 'us-east-1', instances: ['i-0123456789abcdef0', 'i-0fedcba9876543210'] },
})

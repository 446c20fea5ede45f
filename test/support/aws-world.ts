import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2'
import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  CreateDBInstanceReadReplicaCommand,
  RDSClient,
} from '@aws-sdk/client-rds'
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53'
import { S3Client } from '@aws-sdk/client-s3'

/** Clients of the tests' own, straight to moto. */
export function awsClients(endpoint: string, region = 'us-west-2') {
  const options = { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
  return {
    ec2: new EC2Client(options),
    rds: new RDSClient(options),
    route53: new Route53Client(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
    cloudwatch: new CloudWatchClient(options),
  }
}

type Clients = ReturnType<typeof awsClients>

/** Instances that run; with `stopped`, that were stopped again. */
export async function addInstances({ ec2 }: Clients, count: number, state: 'running' | 'stopped' = 'stopped'): Promise<string[]> {
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({ ImageId: 'ami-12c6146b', MinCount: count, MaxCount: count }),
  )
  const ids = Instances.map(({ InstanceId = '' }) => InstanceId)
  if (state === 'stopped') await ec2.send(new StopInstancesCommand({ InstanceIds: ids }))
  return ids
}

/** By id: `running`, `stopped`. */
export async function instanceStates({ ec2 }: Clients, ids: readonly string[]): Promise<(string | undefined)[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [...ids] }))
  const found = Reservations.flatMap(({ Instances = [] }) => Instances)
  return ids.map((id) => found.find(({ InstanceId }) => InstanceId === id)?.State?.Name)
}

export const sourceArn = 'arn:aws:rds:us-east-1:123456789012:db:api-db'

/** The database `api-db` in us-east-1. */
export async function addDatabase(endpoint: string): Promise<void> {
  await awsClients(endpoint, 'us-east-1').rds.send(
    new CreateDBInstanceCommand({ ...small('api-db'), Engine: 'postgres', AllocatedStorage: 20, BackupRetentionPeriod: 7 }),
  )
}

/** An instance in us-west-2, `a` of its zones, with a standby or without. */
export async function addInstanceOfRds({ rds }: Clients, name: string, isMultiAz: boolean): Promise<void> {
  await rds.send(new CreateDBInstanceCommand({ ...small(name), Engine: 'postgres', AllocatedStorage: 20, MultiAZ: isMultiAz }))
}

/** An Aurora cluster in us-west-2 of these members, of which the first writes. */
export async function addClusterOfRds({ rds }: Clients, name: string, members: readonly string[]): Promise<void> {
  const engine = 'aurora-postgresql'
  await rds.send(
    new CreateDBClusterCommand({
      DBClusterIdentifier: name,
      Engine: engine,
      MasterUsername: 'api',
      MasterUserPassword: 'not-a-real-one',
    }),
  )
  for (const member of members) {
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: member,
        DBInstanceClass: 'db.t3.medium',
        Engine: engine,
        DBClusterIdentifier: name,
      }),
    )
  }
}

function small(name: string) {
  const access = { MasterUsername: 'api', MasterUserPassword: 'not-a-real-one' }
  return { DBInstanceIdentifier: name, DBInstanceClass: 'db.t3.micro', ...access }
}

/** A read replica of it in us-west-2. */
export async function addReplica(endpoint: string, replica: string): Promise<void> {
  const command = { DBInstanceIdentifier: replica, SourceDBInstanceIdentifier: sourceArn }
  await awsClients(endpoint).rds.send(new CreateDBInstanceReadReplicaCommand(command))
}

/** The lag as RDS reports it to CloudWatch, that long ago. */
export async function reportLag({ cloudwatch }: Clients, replica: string, seconds: number, agoMs = 0): Promise<void> {
  await cloudwatch.send(
    new PutMetricDataCommand({
      Namespace: 'AWS/RDS',
      MetricData: [
        {
          MetricName: 'ReplicaLag',
          Dimensions: [{ Name: 'DBInstanceIdentifier', Value: replica }],
          Value: seconds,
          Unit: 'Seconds',
          Timestamp: new Date(Date.now() - agoMs),
        },
      ],
    }),
  )
}

/** A zone for company.com with these records; gives its id. */
export async function addZone({ route53 }: Clients, records: readonly ResourceRecordSet[] = []): Promise<string> {
  const { HostedZone } = await route53.send(
    new CreateHostedZoneCommand({ Name: 'company.com', CallerReference: String(Math.random()) }),
  )
  const id = (HostedZone?.Id ?? '').replace('/hostedzone/', '')
  for (const record of records) await setRecord({ route53 }, id, record)
  return id
}

export async function setRecord({ route53 }: Pick<Clients, 'route53'>, zone: string, record: ResourceRecordSet): Promise<void> {
  const Changes = [{ Action: 'UPSERT' as const, ResourceRecordSet: record }]
  await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }))
}

/** The record set of that name and type as it stands. */
export async function recordAt(
  { route53 }: Pick<Clients, 'route53'>,
  zone: string,
  name = 'api.company.com.',
  type = 'A',
): Promise<ResourceRecordSet | undefined> {
  const { ResourceRecordSets = [] } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zone }))
  return ResourceRecordSets.find(({ Name, Type }) => Name === name && Type === type)
}

export function plainRecord(value: string, ttl = 300): ResourceRecordSet {
  return { Name: 'api.company.com.', Type: 'A', TTL: ttl, ResourceRecords: [{ Value: value }] }
}

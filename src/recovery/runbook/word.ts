import { afterwardsChapter, escalationChapter, rollbackChapter, verificationChapter } from './chapters/after.ts'
import { detectionChapter, prerequisitesChapter } from './chapters/before.ts'
import { proofChapter } from './chapters/proof.ts'
import { recoveryChapter } from './chapters/recovery.ts'
import { backupsChapter, serviceChapter } from './chapters/service.ts'
import { checkLine, recoverLine } from './what-to-type.ts'
import { code, text, type RunbookDocument } from './document.ts'
import type { RunbookEvidence } from './evidence.ts'
import type { Runbook } from './model.ts'

/** A runbook in words. Without evidence it says that none was looked at. */
export function wordRunbook(runbook: Runbook, evidence?: RunbookEvidence): RunbookDocument {
  const { service, plan, planHash, version, isRecovery } = runbook
  const title = isRecovery ? `Runbook: ${service.name}` : `Runbook: ${service.name}, ${plan.name}`
  return {
    title,
    identity: { service: service.name, plan: plan.name, hash: planHash, version },
    blocks: [
      { type: 'heading', level: 1, text: title },
      text(
        'How ',
        code(service.name),
        isRecovery ? ' comes back. The same plan that ' : ` is moved by its plan ${plan.name}, the same that `,
        code(recoverLine(runbook)),
        ' runs, with the plain commands that do each step without it.',
      ),
      ...proofChapter(runbook, evidence),
      ...serviceChapter(runbook),
      ...backupsChapter(runbook),
      { type: 'chapter', blocks: [...detectionChapter(runbook), ...prerequisitesChapter(runbook)] },
      { type: 'chapter', blocks: recoveryChapter(runbook, evidence) },
      { type: 'chapter', blocks: [...verificationChapter(runbook), ...rollbackChapter(runbook)] },
      { type: 'chapter', blocks: [...escalationChapter(runbook), ...afterwardsChapter(runbook)] },
      text(
        'Plan ',
        code(plan.name),
        ', hash ',
        code(planHash),
        `, Holdfast ${version}. `,
        code(checkLine(runbook)),
        ' says whether this file is still true.',
      ),
    ],
  }
}

export { compilePlan } from './compile.ts'
export { compileDrill, type CompiledDrill } from './drill/compile.ts'
export type { DrillKeeper, DrillRun } from './drill/conclude.ts'
export type { GamedayFacts, GamedayFigures } from './drill/gameday.ts'
export { gamedayFormats, renderGameday, type GamedayFormat } from './drill/render-gameday.ts'
export { isolationText } from './drill/isolation.ts'
export { findingsOf, type Found } from './drill/findings.ts'
export type { DrillChange, DrillInput } from './drill/input.ts'
export type { Achieved, DrillCleanUp, DrillFinding, DrillReport } from './drill/report.ts'
export { decisionName, type DecisionWord } from './decide.ts'
export { decisions, type Decision } from './decisions.ts'
export { forecastOf, type Forecast, type StepForecast } from './forecast.ts'
export { inForm, planAsRun } from './form.ts'
export { createPlanHandler } from './interpreter.ts'
export { stepsBehind } from './order.ts'
export { planOutcome, type LeftBehind, type PlanOutcome, type RunTiming, type StepReport, type StepState } from './outcome.ts'
export {
  inputAsJson,
  planHash,
  planInput,
  type ActionCall,
  type Plan,
  type PlanForm,
  type PlanInput,
  type PlanStep,
} from './plan.ts'
export { actionContext, bindAction, type ActionServices, type PlanDeps } from './plan-run.ts'
export { inspectPlan, preflightPlan, type PreflightDeps, type StepFinding } from './preflight.ts'
export { buildRunbook, type RunbookOf } from './runbook/build.ts'
export type { Runbook } from './runbook/model.ts'
export { compareRunbook, type RunbookFinding } from './runbook/compare.ts'
export { stepTimeOf, type PastRecovery, type RunbookEvidence, type StepTime } from './runbook/evidence.ts'
export { readIdentity } from './runbook/identity.ts'
export { readRunbookFile } from './runbook/read-file.ts'
export { renderPdf, renderPdfPages } from './runbook/pdf/render.ts'
export { heading, strong, text, type Block } from './runbook/document.ts'
export { renderHtmlPage } from './runbook/html.ts'
export { formatOf, renderRunbook, runbookFormats, type RunbookFormat, type RunbookTextFormat } from './runbook/render.ts'
export { wordRunbook } from './runbook/word.ts'
export { partOf } from './progress/part-of.ts'
export { afterEvents, type OpenWait, type RunProgress, type StepProgress, type StepStanding } from './progress/progress.ts'
export { passedNoReturn } from './progress/passed.ts'

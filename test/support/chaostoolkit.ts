import { pythonEnvironment } from './python-environment.ts'

/** Chaos Toolkit itself, with its controls and functions of Kubernetes: the newest versions that the Python of the machine can have (1.45 needs 3.12). */
const chaostoolkit = pythonEnvironment('chaostoolkit', [
  'chaostoolkit-lib[jsonpath]==1.45.0;python_version>="3.12"',
  'chaostoolkit-lib[jsonpath]==1.44.0;python_version<"3.12"',
  'chaostoolkit==1.21.4;python_version>="3.12"',
  'chaostoolkit==1.19.0;python_version<"3.12"',
  'chaostoolkit-addons==0.12.0;python_version>="3.12"',
  'chaostoolkit-addons==0.11.0;python_version<"3.12"',
  'chaostoolkit-kubernetes==0.39.0',
])

export const findChaosToolkit = (): string | undefined => chaostoolkit.find()

export const installChaosToolkit = (): void => chaostoolkit.install()

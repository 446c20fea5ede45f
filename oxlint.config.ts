import { defineConfig, type OxlintOverride } from 'oxlint'
import { layers } from './scripts/layers.ts'

/** What `area` must not import: areas outside its row of the layer table, and the inside of those in it. */
function layerRule(area: string): OxlintOverride {
  const allowed = layers[area] ?? []
  const others = Object.keys(layers).filter((other) => other !== area)
  const depths = ['../', '../../', '../../../', '../../../../']
  const to = (other: string, file: string) => depths.map((up) => `${up}${other}/${file}`)
  const forbidden = others.filter((other) => !allowed.includes(other))
  return {
    files: [`src/${area}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(forbidden.length > 0
              ? [
                  {
                    group: forbidden.flatMap((other) => to(other, '**')),
                    message: `the layer ${area} may not know this area: see scripts/layers.ts`,
                  },
                ]
              : []),
            ...(allowed.length > 0
              ? [
                  {
                    group: [
                      ...allowed.flatMap((other) => to(other, '**')),
                      ...allowed.flatMap((other) => to(other, 'index.ts').map((path) => `!${path}`)),
                    ],
                    message: 'enter an area through its index.ts',
                  },
                ]
              : []),
          ],
        },
      ],
    },
  }
}

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  options: { typeAware: true },
  ignorePatterns: ['dist', 'coverage', 'src/**/assembly/**', 'test/fixtures/**'],
  rules: {
    'import/no-cycle': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'no-restricted-globals': 'off',
    // A sequence that must be one after the other is the norm here: durability is an order.
    'no-await-in-loop': 'off',
    'import/no-unassigned-import': 'off',
    'no-shadow': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/prefer-add-event-listener': 'off',
    'promise/always-return': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-unnecessary-type-parameters': 'off',
    'oxc/no-map-spread': 'off',
    'vitest/require-mock-type-parameters': 'off',
    'vitest/require-to-throw-message': 'off',
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'assert*', 'fc.assert'] }],
    'vitest/valid-title': 'off',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'import/no-named-as-default-member': 'off',
  },
  overrides: [
    ...Object.keys(layers).map((area) => layerRule(area)),
    // It makes suites; it is not one.
    {
      files: ['test/support/peers.ts'],
      rules: {
        'vitest/no-conditional-tests': 'off',
        'vitest/no-disabled-tests': 'off',
        'vitest/valid-title': 'off',
        'vitest/valid-describe-callback': 'off',
      },
    },
  ],
})

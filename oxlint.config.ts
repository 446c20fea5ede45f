import { defineConfig, type OxlintOverride } from 'oxlint'
import { layers } from './scripts/layers.ts'

/**
 * What modules `depth` folders below `src/<area>` must not import: areas outside the area's row of the layer table, and the inside of those in
 * it. By depth, because a folder within an area may have the name of another area (service/recovery).
 */
function layerRule(area: string, depth: number): OxlintOverride {
  const allowed = layers[area] ?? []
  const forbidden = Object.keys(layers).filter((other) => other !== area && !allowed.includes(other))
  const to = (other: string, file: string) => `${'../'.repeat(depth + 1)}${other}/${file}`
  return {
    files: [`src/${area}/${'*/'.repeat(depth)}*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(forbidden.length > 0
              ? [
                  {
                    group: forbidden.map((other) => to(other, '**')),
                    message: `the layer ${area} may not know this area: see scripts/layers.ts`,
                  },
                ]
              : []),
            ...(allowed.length > 0
              ? [
                  {
                    group: [...allowed.map((other) => to(other, '**')), ...allowed.map((other) => `!${to(other, 'index.ts')}`)],
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
    // `await using _lock`: what is only held.
    'no-underscore-dangle': 'off',
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
    'vitest/valid-describe-callback': 'off',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'import/no-named-as-default-member': 'off',
  },
  overrides: [
    ...Object.keys(layers).flatMap((area) => [0, 1, 2, 3].map((depth) => layerRule(area, depth))),
    // It makes suites; it is not one.
    {
      files: ['test/support/peers.ts'],
      rules: {
        'vitest/no-conditional-tests': 'off',
        'vitest/no-disabled-tests': 'off',
        'vitest/valid-title': 'off',
      },
    },
  ],
})

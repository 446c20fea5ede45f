export { lookOnce, type LookDeps } from './hypothesis/look.ts'

export { connect, type ApiRequest, type Connection } from './connection.ts'

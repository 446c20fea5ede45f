import { clusterFunction } from './define.ts'
import { queryOf } from './objects.ts'
import { optionalSelector, optionalText, wholeNumber } from './parameters.ts'

/** Events of all namespaces, as the API server gives them. */
export const getEvents = clusterFunction(
  { label_selector: optionalSelector, field_selector: optionalText, limit: wholeNumber.default(100) },
  async ({ label_selector: selector, field_selector: field, limit }, cluster) => {
    const query = { ...queryOf({ selector, ...(field === null ? {} : { field }) }), limit: String(limit) }
    return await cluster.send({ method: 'GET', path: '/apis/events.k8s.io/v1/events', query, what: 'list events' })
  },
)

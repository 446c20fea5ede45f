import { expect, test } from 'vitest'
import { parseJsonpath } from './jsonpath.ts'

// The store of RFC 9535, 1.5.
const store = {
  store: {
    book: [
      { category: 'reference', author: 'Nigel Rees', title: 'Sayings of the Century', price: 8.95 },
      { category: 'fiction', author: 'Evelyn Waugh', title: 'Sword of Honour', price: 12.99 },
      { category: 'fiction', author: 'Herman Melville', title: 'Moby Dick', isbn: '0-553-21311-3', price: 8.99 },
      { category: 'fiction', author: 'J. R. R. Tolkien', title: 'The Lord of the Rings', isbn: '0-395-19395-8', price: 22.99 },
    ],
    bicycle: { color: 'red', price: 399 },
  },
}

test.each([
  ['$.store.book[*].author', ['Nigel Rees', 'Evelyn Waugh', 'Herman Melville', 'J. R. R. Tolkien']],
  ['$..author', ['Nigel Rees', 'Evelyn Waugh', 'Herman Melville', 'J. R. R. Tolkien']],
  ['$.store..price', [8.95, 12.99, 8.99, 22.99, 399]],
  ['$..book[2].title', ['Moby Dick']],
  ['$..book[-1].title', ['The Lord of the Rings']],
  ['$..book[0,1].price', [8.95, 12.99]],
  ['$..book[:2].price', [8.95, 12.99]],
  ['$..book[?(@.isbn)].price', [8.99, 22.99]],
  ['$..book[?(@.price < 10)].title', ['Sayings of the Century', 'Moby Dick']],
  ["$['store']['bicycle'][\"color\"]", ['red']],
  ["$..book[?(@.category == 'fiction' && @.price > 20)].author", ['J. R. R. Tolkien']],
  ['$..book[?(@.category="reference" or @.price = 12.99)].price', [8.95, 12.99]],
  ['$..book[?(not (@.isbn))].price', [8.95, 12.99]],
  ['$.store.book[?@.price >= 22.99].author', ['J. R. R. Tolkien']],
  ['$.nothing', []],
  ['$.store.book[9]', []],
])('%s finds what the standard says', (path, found) => {
  expect(parseJsonpath(path).find(store)).toEqual(found)
})

test('a filter may choose from what was found instead of its children', () => {
  const find = (path: string) => parseJsonpath(path, { filters: 'itself' }).find(store)
  expect(find('$.store.book.*[?(@.price > 20)].author')).toEqual(['J. R. R. Tolkien'])
  expect(find('$.store.book[?(@.price > 20)].author')).toEqual([])
})

test('the whole document is $', () => {
  expect(parseJsonpath('$').find([1])).toEqual([[1]])
})

test.each(['', 'store', '$.', '$[', '$[?(@.a ==)]', '$[?(@.a == )', '$x', '$[1:2:0]', '$[?(@.a == b)]', "$['a]"])(
  '%j is refused before anything is asked',
  (path) => {
    expect(() => parseJsonpath(path)).toThrowError(expect.objectContaining({ code: 'usage' }))
  },
)

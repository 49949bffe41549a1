'use strict'
// Node 20 before 20.4 has no symbol for `await using`; what compiles to it looks for this one.

if (Symbol.asyncDispose === undefined) {
  Object.defineProperty(Symbol, 'asyncDispose', { value: Symbol.for('nodejs.asyncDispose') })
}

// The same types for those who `require`.

import tenure = require('tenure')

export const store: tenure.Store = tenure.memory()
export const version: string = tenure.version

/** What only operators need, with the certificate library behind it: one piece, loaded when first used. */
export { joinedOwner } from './joined-owner'
export { beliefsOf, judgeChain } from './beliefs'
export { identityFromFile, identityFromStore, keyFileOf, viewOf } from './identity'
export { signStatement, verifyStatement } from './keys'
export { judge } from './server-proof'
export { statement } from './statement'

/** The parts of node-forge that are used, loaded one by one to keep the rest out of the app. */
declare module 'node-forge/lib/util.js' {
  interface ByteBuffer {
    getBytes(): string
  }
  const util: { createBuffer(bytes: string): ByteBuffer }
  export default util
}

declare module 'node-forge/lib/des.js' {
  const des: {
    createDecryptionCipher(key: string): {
      start(iv: string): void
      update(input: object): void
      finish(): boolean
      readonly output: { getBytes(): string }
    }
  }
  export default des
}

declare module 'node-forge/lib/rc2.js' {
  import type des from 'node-forge/lib/des.js'
  const rc2: {
    createDecryptionCipher(key: string, effectiveBits: number): ReturnType<typeof des.createDecryptionCipher>
  }
  export default rc2
}

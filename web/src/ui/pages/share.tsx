/** The QR code and the addresses, for another device on this network. */
import { useModel } from '../context'
import { Copyable } from '../parts/copyable'
import { Qr } from '../parts/qr'
import { Notice } from '../parts/notice'
import './share.css'

export function ShareCode() {
  const model = useModel()
  const { state, addresses } = model.server.value
  const [best] = addresses

  if (state === 'claimed') {
    return (
      <Notice>
        <p>This server is not open to the network.</p>
        <p>Only this machine can use it, as its owner chose. The owner can change that under Station.</p>
      </Notice>
    )
  }
  if (best === undefined) {
    return (
      <Notice kind="warn">
        <p>The server’s machine has no network address.</p>
        <p>Connect it to a Wi-Fi or a cable. The code appears here by itself.</p>
      </Notice>
    )
  }
  return (
    <div class="share">
      <Qr address={best} net={model.session.value.net} />
      <div class="share-words">
        <p>Scan this with a phone’s camera, or type {addresses.length > 1 ? 'one of the addresses' : 'the address'}. The phone must be on the same network.</p>
        {addresses.map((address) => (
          <Copyable key={address} text={address} what={address} />
        ))}
      </div>
    </div>
  )
}

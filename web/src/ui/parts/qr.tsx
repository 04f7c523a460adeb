/** The QR code that opens this server on another device. Drawn by the server. */
import './qr.css'

export function Qr({ address, net }: { address: string; net: string }) {
  const query = new URLSearchParams({ address })
  if (net !== 'main') query.set('net', net)
  return (
    <div class="qr">
      <img src={`/api/qr.svg?${query}`} alt={`QR code of ${address}`} width="232" height="232" />
    </div>
  )
}

using System;

namespace Postern.Proxy.Tls;

/// <summary>Whether the reader of a TLS connection may be decrypting just now. The object itself is the lock.</summary>
internal sealed class ReaderTurn
{
    /// <summary>Only to be asked with the lock held.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Called, with the lock held, when the reader leaves; quick, and never throws.</summary>
    public Action? Left { get; set; }

    public void Enter()
    {
        lock (this)
        {
            IsTaken = true;
        }
    }

    /// <returns>Whether the reader was there.</returns>
    public bool Leave()
    {
        lock (this)
        {
            if (!IsTaken)
            {
                return false;
            }
            IsTaken = false;
            Left?.Invoke();
            return true;
        }
    }
}

namespace Postern.Filters.Network.WebSocket;

/// <summary>What <see cref="FrameReader.Read"/> came upon.</summary>
public enum FrameEvent
{
    /// <summary>The input is used up.</summary>
    None,

    /// <summary>A whole ping; its payload is <see cref="FrameReader.Control"/>.</summary>
    Ping,

    /// <summary>A whole pong.</summary>
    Pong,

    /// <summary>A whole close frame. What follows is not read.</summary>
    Close,

    /// <summary>Not acceptable; <see cref="FrameReader.Error"/> says why. What follows is not read.</summary>
    Error,
}

/// <summary>Opcodes (RFC 6455 §5.2).</summary>
public static class Opcode
{
    /// <summary>More of a fragmented message.</summary>
    public const int Continuation = 0;

    /// <summary>Text; passed as bytes, UTF-8 or not.</summary>
    public const int Text = 1;

    /// <summary>Binary.</summary>
    public const int Binary = 2;

    /// <summary>Close.</summary>
    public const int Close = 8;

    /// <summary>Ping.</summary>
    public const int Ping = 9;

    /// <summary>Pong.</summary>
    public const int Pong = 10;
}
